/** Collation documents (manual, "Collation") as string comparison through Intl.Collator's ICU. */
import { type Collator, compareStrings } from '../bson/compare.ts';
import { isNumeric, toExactInt32 } from '../bson/numeric.ts';
import { typeName } from '../bson/types.ts';
import type { Document, Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';

export interface Collation extends Collator {
  /** The specification with every option spelled out, as `listIndexes` shows it. */
  readonly spec: Document;
}

interface Options {
  locale: string;
  caseLevel: boolean;
  caseFirst: 'off' | 'upper' | 'lower';
  strength: number;
  numericOrdering: boolean;
  alternate: 'non-ignorable' | 'shifted';
  maxVariable: 'punct' | 'space';
  normalization: boolean;
  backwards: boolean;
}

function bad(message: string): MongoCommandError {
  return new MongoCommandError('BadValue', message);
}

function wrongType(name: string, value: Value, expected: string): MongoCommandError {
  return new MongoCommandError(
    'TypeMismatch',
    `BSON field 'collation.${name}' is the wrong type '${typeName(value)}', expected type '${expected}'`,
  );
}

function booleanOption(spec: Document, name: string): boolean {
  const value = spec.get(name);
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw wrongType(name, value, 'bool');
  return value;
}

function enumOption<T extends string>(
  spec: Document,
  name: string,
  allowed: readonly [T, ...T[]],
): T {
  const value = spec.get(name);
  if (value === undefined) return allowed[0];
  if (typeof value !== 'string') throw wrongType(name, value, 'string');
  const known = allowed.find((option) => option === value);
  if (known === undefined) {
    throw bad(`Enumeration value '${value}' for field 'collation.${name}' is not a valid value.`);
  }
  return known;
}

function strengthOption(spec: Document): number {
  const value = spec.get('strength');
  if (value === undefined) return 3;
  if (!isNumeric(value)) throw wrongType('strength', value, 'int');
  const strength = toExactInt32(value);
  if (strength === undefined || strength < 1 || strength > 5) {
    throw bad('collation strength must be a whole number from 1 to 5');
  }
  return strength;
}

const NAMES: ReadonlySet<string> = new Set([
  'locale',
  'caseLevel',
  'caseFirst',
  'strength',
  'numericOrdering',
  'alternate',
  'maxVariable',
  'normalization',
  'backwards',
  'version',
]);

function parseOptions(spec: Document): Options {
  for (const name of spec.keys()) {
    if (!NAMES.has(name)) {
      throw new MongoCommandError(
        'Location40415',
        `BSON field 'collation.${name}' is an unknown field.`,
      );
    }
  }
  const locale = spec.get('locale');
  if (locale === undefined) {
    throw new MongoCommandError(
      'Location40414',
      "BSON field 'collation.locale' is missing but a required field",
    );
  }
  if (typeof locale !== 'string') throw wrongType('locale', locale, 'string');
  return {
    locale,
    caseLevel: booleanOption(spec, 'caseLevel'),
    caseFirst: enumOption(spec, 'caseFirst', ['off', 'upper', 'lower']),
    strength: strengthOption(spec),
    numericOrdering: booleanOption(spec, 'numericOrdering'),
    alternate: enumOption(spec, 'alternate', ['non-ignorable', 'shifted']),
    maxVariable: enumOption(spec, 'maxVariable', ['punct', 'space']),
    normalization: booleanOption(spec, 'normalization'),
    backwards: booleanOption(spec, 'backwards'),
  };
}

function fullSpec(options: Options): Document {
  return new Map<string, Value>([
    ['locale', options.locale],
    ['caseLevel', options.caseLevel],
    ['caseFirst', options.caseFirst],
    ['strength', options.strength],
    ['numericOrdering', options.numericOrdering],
    ['alternate', options.alternate],
    ['maxVariable', options.maxVariable],
    ['normalization', options.normalization],
    ['backwards', options.backwards],
    ['version', '57.1'],
  ]);
}

/** MongoDB's locales are ICU's (`en_US`); `@collation=…` chooses a variant. */
function languageTag(locale: string): string {
  const [base = '', variant] = locale.split('@collation=');
  const tag = base.replaceAll('_', '-');
  const short: Readonly<Record<string, string>> = {
    phonebook: 'phonebk',
    traditional: 'trad',
    search: 'search',
    compat: 'compat',
    dictionary: 'dict',
    pinyin: 'pinyin',
    stroke: 'stroke',
    zhuyin: 'zhuyin',
    unihan: 'unihan',
  };
  return variant === undefined ? tag : `${tag}-u-co-${short[variant] ?? variant}`;
}

function sensitivity(options: Options): 'base' | 'accent' | 'case' | 'variant' {
  if (options.strength === 1) return options.caseLevel ? 'case' : 'base';
  return options.strength === 2 && !options.caseLevel ? 'accent' : 'variant';
}

function intlCollator(options: Options): Intl.Collator {
  const tag = languageTag(options.locale);
  let supported: readonly string[];
  try {
    supported = Intl.Collator.supportedLocalesOf(tag);
  } catch {
    supported = [];
  }
  if (supported.length === 0) {
    throw bad(`Field 'locale' is invalid in: { locale: "${options.locale}" }`);
  }
  return new Intl.Collator(tag, {
    sensitivity: sensitivity(options),
    numeric: options.numericOrdering,
    caseFirst: options.caseFirst === 'off' ? 'false' : options.caseFirst,
    ignorePunctuation: options.alternate === 'shifted',
  });
}

/** Gives equal strings one key by keeping, in order, the first string of each class it has met. */
class Representatives {
  private readonly known = new Map<string, string>();
  private readonly ordered: string[] = [];
  private readonly compare: (a: string, b: string) => number;

  constructor(compare: (a: string, b: string) => number) {
    this.compare = compare;
  }

  of(text: string): string {
    const remembered = this.known.get(text);
    if (remembered !== undefined) return remembered;
    let low = 0;
    let high = this.ordered.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.compare(this.ordered[middle] as string, text) < 0) low = middle + 1;
      else high = middle;
    }
    const candidate = this.ordered[low];
    const representative =
      candidate !== undefined && this.compare(candidate, text) === 0 ? candidate : text;
    if (representative === text) this.ordered.splice(low, 0, text);
    this.known.set(text, representative);
    return representative;
  }
}

/**
 * The collation of a specification; `undefined` for none and for `simple`, which compares bytes.
 * Its keys are good within this one object; make one for each operation.
 */
export function parseCollation(spec: Document | undefined): Collation | undefined {
  if (spec === undefined || spec.size === 0) return undefined;
  const options = parseOptions(spec);
  if (options.locale === 'simple') return undefined;
  const collator = intlCollator(options);
  const compare =
    options.strength < 5
      ? collator.compare
      : (a: string, b: string) => collator.compare(a, b) || compareStrings(a, b);
  const representatives = new Representatives(compare);
  return {
    spec: fullSpec(options),
    compare,
    key: (text) => representatives.of(text),
  };
}

/** True when two collations compare alike. */
export function sameCollation(a: Collation | undefined, b: Collation | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  for (const [name, value] of a.spec) if (b.spec.get(name) !== value) return false;
  return true;
}
