/** $set, $setOnInsert, $unset, $rename and $currentDate. */
import { valuesIdentical } from '../../bson/compare.ts';
import { splitPath } from '../../bson/path.ts';
import { typeName } from '../../bson/types.ts';
import type { Document, Value } from '../../bson/value.ts';
import { badValue, describeField, describeId, type Modifier } from './modifier.ts';

export function set(operator: '$set' | '$setOnInsert', argument: Value): Modifier {
  return {
    operator,
    creates: true,
    apply: (value) => (valuesIdentical(value, argument) ? value : argument),
  };
}

export const UNSET: Modifier = {
  operator: '$unset',
  creates: false,
  ignoresBarredPath: true,
  apply: () => undefined,
};

export function currentDate(argument: Value): Modifier {
  let timestamp = false;
  if (argument instanceof Map) {
    const type = argument.get('$type');
    for (const name of argument.keys()) {
      if (name !== '$type') {
        throw badValue(`Unrecognized $currentDate option: ${name}`);
      }
    }
    if (type !== 'date' && type !== 'timestamp') {
      throw badValue(
        "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}",
      );
    }
    timestamp = type === 'timestamp';
  } else if (typeof argument !== 'boolean') {
    throw badValue(
      `${typeName(argument)} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).`,
    );
  }
  return {
    operator: '$currentDate',
    creates: true,
    apply: (_value, _path, context) => (timestamp ? context.timestamp : context.now),
  };
}

/** A path that follows documents only; an array on the way is refused, as MongoDB does. */
function lookUp(document: Document, path: string, which: string): Value | undefined {
  const parts = splitPath(path);
  let value: Value | undefined = document;
  for (const [depth, part] of parts.entries()) {
    if (Array.isArray(value)) {
      throw badValue(
        `The ${which} field cannot be an array element, '${path}' in doc with ${describeId(document).slice(1, -1)} has an array field called '${parts[depth - 1] ?? ''}'`,
      );
    }
    if (!(value instanceof Map)) return undefined;
    value = value.get(part);
  }
  return value;
}

/** The two halves of a $rename: one modifier at the old name, one at the new. */
export function rename(
  source: string,
  argument: Value,
): { readonly target: string; readonly atSource: Modifier; readonly atTarget: Modifier } {
  if (typeof argument !== 'string') {
    throw badValue(
      `The 'to' field for $rename must be a string: ${describeField(source, argument)}`,
    );
  }
  if (source === argument) {
    throw badValue(
      `The source and target field for $rename must differ: ${describeField(source, argument)}`,
    );
  }
  if (argument.startsWith(`${source}.`) || source.startsWith(`${argument}.`)) {
    throw badValue(
      `The source and target field for $rename must not be on the same path: ${describeField(source, argument)}`,
    );
  }
  for (const [which, path] of [
    ['source', source],
    ['destination', argument],
  ] as const) {
    if (splitPath(path).some((part) => part === '$' || part.startsWith('$['))) {
      throw badValue(`The ${which} field for $rename may not be dynamic: ${path}`);
    }
  }
  const applies: Modifier['applies'] = ({ before }) =>
    lookUp(before, source, 'source') !== undefined;
  return {
    target: argument,
    atSource: {
      operator: '$rename',
      creates: false,
      ignoresBarredPath: true,
      applies,
      apply: () => undefined,
    },
    atTarget: {
      operator: '$rename',
      creates: true,
      applies,
      apply(value, _path, context) {
        const moved = lookUp(context.before, source, 'source');
        if (moved === undefined) return value;
        lookUp(context.before, argument, 'destination');
        return valuesIdentical(moved, value) ? value : moved;
      },
    },
  };
}
