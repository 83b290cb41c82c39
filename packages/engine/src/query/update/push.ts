/** $push with its clauses, and $addToSet (manual, "Array Update Operators"). */
import { type Collator, compareValues, hashableKey } from '../../bson/compare.ts';
import { isNumeric, toExactInt64, toNumber } from '../../bson/numeric.ts';
import { splitPath, valueAt } from '../../bson/path.ts';
import { typeName } from '../../bson/types.ts';
import type { Value } from '../../bson/value.ts';
import {
  badValue,
  describeId,
  lastPart,
  type Modifier,
  type ModifierOptions,
  typeMismatch,
} from './modifier.ts';

interface PushClauses {
  readonly each: readonly Value[];
  readonly slice: number | undefined;
  readonly position: number | undefined;
  readonly compare: ((a: Value, b: Value) => number) | undefined;
}

function wholeClause(name: string, value: Value | undefined): number | undefined {
  if (value === undefined) return undefined;
  const whole = toExactInt64(value);
  if (whole === undefined) {
    const type = typeName(value);
    throw badValue(
      name === '$slice'
        ? `The value for $slice must be an integer value but was given type: ${type}`
        : `The value for $position must be an integer value, not of type: ${type}`,
    );
  }
  return Number(whole);
}

function direction(value: Value | undefined): 1 | -1 | undefined {
  if (!isNumeric(value)) return undefined;
  const plain = toNumber(value);
  return plain === 1 ? 1 : plain === -1 ? -1 : undefined;
}

function sortClause(
  spec: Value | undefined,
  collation: Collator | undefined,
): PushClauses['compare'] {
  if (spec === undefined) return undefined;
  if (isNumeric(spec)) {
    const sign = direction(spec);
    if (sign === undefined) throw badValue('The $sort element value must be either 1 or -1');
    return (a, b) => sign * compareValues(a, b, collation);
  }
  if (!(spec instanceof Map)) {
    throw badValue(
      'The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields',
    );
  }
  if (spec.size === 0)
    throw badValue('The $sort pattern is empty when it should be a set of fields.');
  const fields = [...spec].map(([path, value]) => {
    const sign = direction(value);
    if (sign === undefined) throw badValue('The $sort element value must be either 1 or -1');
    if (path === '') throw badValue('The $sort field cannot be empty');
    if (splitPath(path).includes('')) {
      throw badValue(`The $sort field is a dotted field but has an empty part: ${path}`);
    }
    return { parts: splitPath(path), sign };
  });
  const keyOf = (value: Value, parts: readonly string[]): Value =>
    (value instanceof Map ? valueAt(value, parts) : undefined) ?? null;
  return (a, b) => {
    for (const { parts, sign } of fields) {
      const order = compareValues(keyOf(a, parts), keyOf(b, parts), collation);
      if (order !== 0) return sign * order;
    }
    return 0;
  };
}

function parsePush(argument: Value, collation: Collator | undefined): PushClauses {
  if (!(argument instanceof Map) || !argument.has('$each')) {
    return { each: [argument], slice: undefined, position: undefined, compare: undefined };
  }
  for (const name of argument.keys()) {
    if (!['$each', '$slice', '$sort', '$position'].includes(name)) {
      throw badValue(`Unrecognized clause in $push: ${name}`);
    }
  }
  const each = argument.get('$each');
  if (!Array.isArray(each)) {
    throw badValue(
      `The argument to $each in $push must be an array but it was of type: ${typeName(each)}`,
    );
  }
  return {
    each,
    slice: wholeClause('$slice', argument.get('$slice')),
    position: wholeClause('$position', argument.get('$position')),
    compare: sortClause(argument.get('$sort'), collation),
  };
}

function slice(array: Value[], size: number | undefined): Value[] {
  if (size === undefined) return array;
  if (size === 0) return [];
  return size > 0 ? array.slice(0, size) : array.slice(size);
}

export function push(argument: Value, options: ModifierOptions): Modifier {
  const clauses = parsePush(argument, options.collation);
  const { each, position, compare } = clauses;
  return {
    operator: '$push',
    creates: true,
    appends: position === undefined && compare === undefined && clauses.slice === undefined,
    apply(value, path, context) {
      if (value !== undefined && !Array.isArray(value)) {
        throw badValue(
          `The field '${path}' must be an array but is of type ${typeName(value)} in document ${describeId(context.before)}`,
        );
      }
      const before = value ?? [];
      const at =
        position === undefined
          ? before.length
          : position < 0
            ? Math.max(0, before.length + position)
            : Math.min(position, before.length);
      let after = [...before.slice(0, at), ...each, ...before.slice(at)];
      if (compare !== undefined) after.sort(compare);
      after = slice(after, clauses.slice);
      const same =
        value !== undefined &&
        after.length === value.length &&
        after.every((item, index) => item === value[index]);
      return same ? value : after;
    },
  };
}

function addToSetValues(argument: Value): readonly Value[] {
  const first = argument instanceof Map ? [...argument.keys()][0] : undefined;
  if (!(argument instanceof Map) || first !== '$each') return [argument];
  const each = argument.get('$each');
  if (!Array.isArray(each)) {
    throw typeMismatch(
      `The argument to $each in $addToSet must be an array but it was of type ${typeName(each)}`,
    );
  }
  if (argument.size > 1) {
    throw badValue(`Found unexpected fields after $each in $addToSet: ${[...argument.keys()][1]}`);
  }
  return each;
}

export function addToSet(argument: Value, options: ModifierOptions): Modifier {
  const values = addToSetValues(argument);
  const keyed = values.map((value) => ({ value, key: hashableKey(value, options.collation) }));
  return {
    operator: '$addToSet',
    creates: true,
    apply(value, path) {
      if (value !== undefined && !Array.isArray(value)) {
        throw badValue(
          `Cannot apply $addToSet to non-array field. Field named '${lastPart(path)}' has non-array type ${typeName(value)}`,
        );
      }
      const present = new Set((value ?? []).map((item) => hashableKey(item, options.collation)));
      const added: Value[] = [];
      for (const item of keyed) {
        if (present.has(item.key)) continue;
        present.add(item.key);
        added.push(item.value);
      }
      if (value !== undefined && added.length === 0) return value;
      return [...(value ?? []), ...added];
    },
  };
}
