/** How one setting is described: the vocabulary of the tables in `schema.ts`. */

/** What a value must be. */
export type KeyKind = 'boolean' | 'integer' | 'number' | 'text' | 'texts' | 'choice' | 'any';

/** One key of a section. */
export interface Key<T> {
  readonly kind: KeyKind;
  readonly fallback: T;
  readonly text: string;
  readonly isNullable: boolean;
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  readonly values?: readonly string[];
  /** A value that is none of `values` is warned of, and the default taken. */
  readonly isLenient?: boolean;
  /** Null given is null, and not the default. */
  readonly nullIsValue?: boolean;
  /** What is wrong with a value of the right kind; undefined: nothing. */
  readonly check?: (value: never) => string | undefined;
  /** Never printed. */
  readonly isSecret?: boolean;
}

/** One top-level block. */
export interface Section {
  readonly text: string;
  /** Blocks of plugins understand `enabled`, `uri`, `secured` and `secure` besides their own keys. */
  readonly isPlugin: boolean;
  readonly keys: Readonly<Record<string, Key<unknown>>>;
}

interface NumberRange {
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
}

export function bool(fallback: boolean, text: string): Key<boolean> {
  return { kind: 'boolean', fallback, text, isNullable: false };
}

export function int(fallback: number, text: string, range: NumberRange = {}): Key<number> {
  return { kind: 'integer', fallback, text, isNullable: false, ...range };
}

export function text(fallback: string, description: string): Key<string> {
  return { kind: 'text', fallback, text: description, isNullable: false };
}

export function maybeText(description: string, isSecret = false): Key<string | null> {
  return { kind: 'text', fallback: null, text: description, isNullable: true, isSecret };
}

export function maybeBool(description: string): Key<boolean | null> {
  return { kind: 'boolean', fallback: null, text: description, isNullable: true };
}

export function texts(fallback: readonly string[], description: string): Key<readonly string[]> {
  return { kind: 'texts', fallback, text: description, isNullable: true };
}

export function choice<const V extends string>(
  values: readonly V[],
  fallback: NoInfer<V>,
  description: string,
): Key<V> {
  return { kind: 'choice', fallback, text: description, isNullable: false, values };
}

/** A choice whose wrong values RESTHeart only warns of. */
export function lenientChoice<const V extends string>(
  values: readonly V[],
  fallback: NoInfer<V>,
  description: string,
): Key<V> {
  return { ...choice(values, fallback, description), isLenient: true };
}

/** Whose null is a value of its own: it switches off what the default switches on. */
export function textOrNull(fallback: string, description: string): Key<string | null> {
  return { kind: 'text', fallback, text: description, isNullable: true, nullIsValue: true };
}

export function any<T>(fallback: T, description: string): Key<T> {
  return { kind: 'any', fallback, text: description, isNullable: true };
}

export function core<const K extends Readonly<Record<string, Key<unknown>>>>(
  description: string,
  keys: K,
) {
  return { text: description, isPlugin: false, keys } as const;
}

/** `enabled` is a key of every plugin, so that each section states its default. */
export function plugin<const K extends Readonly<Record<string, Key<unknown>>>>(
  isEnabled: boolean,
  description: string,
  keys: K,
) {
  return {
    text: description,
    isPlugin: true,
    keys: {
      enabled: bool(isEnabled, 'false switches it off'),
      secured: maybeBool('true asks for authentication; unset leaves the default of the service'),
      secure: maybeBool('older name of `secured`, which wins'),
      ...keys,
    },
  } as const;
}
