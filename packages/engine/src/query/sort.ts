/** Sorting documents (manual, `cursor.sort()` and `$sort`), arrays by their least or greatest key. */
import { type Collator, compareValues } from '../bson/compare.ts';
import { isNumeric, toNumber } from '../bson/numeric.ts';
import { isArrayIndex, splitPath } from '../bson/path.ts';
import type { Document, Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { describeValue } from './describe.ts';

export interface SortField {
  readonly path: string;
  readonly direction: 1 | -1;
  /** Set when the key is metadata (`{ $meta: 'textScore' }`) and not a field. */
  readonly meta?: string;
}

const META_SORTS: ReadonlySet<string> = new Set([
  'textScore',
  'randVal',
  'searchScore',
  'vectorSearchScore',
  'geoNearDistance',
]);

/** Checks a field name as MongoDB checks the paths of a sort. */
function checkPath(path: string): void {
  if (path === '') {
    throw new MongoCommandError(
      'Location40352',
      'FieldPath cannot be constructed with empty string',
    );
  }
  if (path.endsWith('.')) {
    throw new MongoCommandError('Location40353', "FieldPath must not end with a '.'.");
  }
  for (const part of splitPath(path)) {
    if (part === '') {
      throw new MongoCommandError(
        'Location15998',
        'FieldPath field names may not be empty strings.',
      );
    }
    if (part.startsWith('$') && !['$id', '$ref', '$db'].includes(part)) {
      throw new MongoCommandError(
        'Location16410',
        "FieldPath field names may not start with '$'. Consider using $getField or $setField.",
      );
    }
  }
}

function parseMeta(path: string, value: Document): SortField {
  const meta = value.get('$meta');
  if (value.size !== 1 || typeof meta !== 'string') {
    throw new MongoCommandError(
      'Location17312',
      `$meta is the only expression supported by $sort right now`,
    );
  }
  if (!META_SORTS.has(meta)) {
    throw new MongoCommandError('Location31138', `Illegal $meta sort: $meta: "${meta}"`);
  }
  // Metadata sorts with the best first.
  return { path, direction: meta === 'geoNearDistance' ? 1 : -1, meta };
}

/**
 * The fields of a sort specification in order.
 *
 * @throws Location15974, Location15975 and others as MongoDB for a malformed one
 */
export function parseSort(spec: Document): readonly SortField[] {
  const fields: SortField[] = [];
  for (const [path, value] of spec) {
    if (value instanceof Map) {
      fields.push(parseMeta(path, value));
      continue;
    }
    if (!isNumeric(value)) {
      throw new MongoCommandError(
        'Location15974',
        `Illegal key in $sort specification: ${path}: ${describeValue(value)}`,
      );
    }
    const direction = Math.trunc(toNumber(value));
    if (direction !== 1 && direction !== -1) {
      throw new MongoCommandError(
        'Location15975',
        '$sort key ordering must be 1 (for ascending) or -1 (for descending)',
      );
    }
    checkPath(path);
    fields.push({ path, direction });
  }
  if (fields.length > 32) throw new MongoCommandError('Location13103', 'too many compound keys');
  return fields;
}

/** One value a field of the sort; missing is null, and `undefined` stands for an empty array. */
export type SortKey = readonly (Value | undefined)[];

type Slot = { readonly value: Value | undefined } | { readonly rest: readonly string[] };

/** Walks documents until the path ends or an array bars the way. */
function walk(
  document: Document,
  parts: readonly string[],
): { readonly value: Value } | { readonly array: Value[]; readonly rest: readonly string[] } {
  let current: Value | undefined = document;
  for (let depth = 0; depth < parts.length; depth++) {
    if (Array.isArray(current)) {
      const part: string = parts[depth] as string;
      if (!isArrayIndex(part)) return { array: current, rest: parts.slice(depth) };
      current = current[Number(part)];
    } else if (current instanceof Map) {
      current = current.get(parts[depth] as string);
    } else {
      return { value: null };
    }
  }
  return Array.isArray(current) ? { array: current, rest: [] } : { value: current ?? null };
}

/** Every key a document has under compound paths: one for each element of the array they share. */
function expandKeys(
  document: Document,
  slots: readonly Slot[],
  emit: (key: SortKey) => void,
): void {
  let shared: Value[] | undefined;
  const found = slots.map((slot): Slot => {
    if ('value' in slot) return slot;
    const end = walk(document, slot.rest);
    if ('value' in end) return end;
    if (shared !== undefined && shared !== end.array) {
      throw new MongoCommandError('BadValue', 'cannot sort with keys that are parallel arrays');
    }
    shared = end.array;
    return { rest: end.rest };
  });
  if (shared === undefined) {
    emit(found.map((slot) => ('value' in slot ? slot.value : null)));
    return;
  }
  if (shared.length === 0) {
    emit(
      found.map((slot) =>
        'value' in slot ? slot.value : slot.rest.length === 0 ? undefined : null,
      ),
    );
    return;
  }
  for (const element of shared) {
    const inner = element instanceof Map ? element : undefined;
    const next = found.map((slot): Slot => {
      if ('value' in slot) return slot;
      if (slot.rest.length === 0) return { value: element };
      return inner === undefined ? { value: null } : slot;
    });
    if (inner === undefined) emit(next.map((slot) => ('value' in slot ? slot.value : null)));
    else expandKeys(inner, next, emit);
  }
}

/** A sort taken apart, so that the key of each document is computed once. */
export interface SortPlan {
  readonly fields: readonly SortField[];
  key(document: Document): SortKey;
  compareKeys(a: SortKey, b: SortKey): number;
  compare(a: Document, b: Document): number;
}

export interface SortOptions {
  readonly collation?: Collator | undefined;
  /** The metadata value of a document for `{ $meta: … }` keys. */
  readonly metaOf?: (document: Document, name: string) => Value | undefined;
}

export function planSort(fields: readonly SortField[], options: SortOptions = {}): SortPlan {
  const { collation, metaOf } = options;
  const directions = fields.map((field) => field.direction);
  const paths = fields.map((field) => splitPath(field.path));

  const compareKeys = (a: SortKey, b: SortKey): number => {
    for (let i = 0; i < directions.length; i++) {
      const order = compareValues(a[i], b[i], collation);
      if (order !== 0) return directions[i] === 1 ? order : -order;
    }
    return 0;
  };

  const key = (document: Document): SortKey => {
    let plain = true;
    const values: (Value | undefined)[] = [];
    for (let i = 0; i < fields.length; i++) {
      const meta = fields[i]?.meta;
      if (meta !== undefined) {
        values.push(metaOf?.(document, meta) ?? null);
        continue;
      }
      const end = walk(document, paths[i] as readonly string[]);
      if ('array' in end) plain = false;
      else values.push(end.value);
    }
    return plain ? values : arrayKey(document);
  };

  const arrayKey = (document: Document): SortKey => {
    let best: SortKey | undefined;
    const slots = fields.map(
      (field, i): Slot =>
        field.meta === undefined
          ? { rest: paths[i] as readonly string[] }
          : { value: metaOf?.(document, field.meta) ?? null },
    );
    expandKeys(document, slots, (candidate) => {
      if (best === undefined || compareKeys(candidate, best) < 0) best = candidate;
    });
    return best ?? [];
  };

  return {
    fields,
    key,
    compareKeys,
    compare: (a, b) => compareKeys(key(a), key(b)),
  };
}

/** A comparison of documents for a sort specification. */
export function compileSort(
  spec: Document,
  collation?: Collator,
): (a: Document, b: Document) => number {
  return planSort(parseSort(spec), { collation }).compare;
}
