/** $pop, $pull and $pullAll (manual, "Array Update Operators"). */
import { hashableKey, valuesEqual } from '../../bson/compare.ts';
import { isNumeric, toExactInt64 } from '../../bson/numeric.ts';
import { typeName } from '../../bson/types.ts';
import { BSONRegExp, type Document, type Value } from '../../bson/value.ts';
import { describeValue } from '../describe.ts';
import { compileFilter } from '../filter.ts';
import {
  badValue,
  describeField,
  failedToParse,
  type Modifier,
  type ModifierOptions,
  typeMismatch,
} from './modifier.ts';

export function pop(path: string, argument: Value): Modifier {
  if (!isNumeric(argument)) {
    throw failedToParse(`Expected a number in: ${describeField(path, argument)}`);
  }
  const side = toExactInt64(argument);
  if (side !== 1n && side !== -1n) {
    throw failedToParse(`$pop expects 1 or -1, found: ${describeValue(argument)}`);
  }
  return {
    operator: '$pop',
    creates: false,
    apply(value, at) {
      if (!Array.isArray(value)) {
        throw typeMismatch(
          `Path '${at}' contains an element of non-array type '${typeName(value)}'`,
        );
      }
      if (value.length === 0) return value;
      return side === 1n ? value.slice(0, -1) : value.slice(1);
    },
  };
}

function pullWhere(operator: string, pulled: (item: Value) => boolean): Modifier {
  return {
    operator,
    creates: false,
    apply(value) {
      if (!Array.isArray(value)) throw badValue('Cannot apply $pull to a non-array value');
      const kept = value.filter((item) => !pulled(item));
      return kept.length === value.length ? value : kept;
    },
  };
}

/** The name under which an element is wrapped, so that a query can look at it as a field. */
const WRAPPED = '';

export function pull(argument: Value, options: ModifierOptions): Modifier {
  const [first] = argument instanceof Map ? argument.keys() : [];
  const filterOptions = {
    collation: options.collation,
    compileExpression: options.compileExpression,
  };
  if (argument instanceof BSONRegExp || first?.startsWith('$') === true) {
    if (argument instanceof Map && ['$and', '$or', '$nor'].includes(first ?? '')) {
      return pullDocuments(argument, filterOptions);
    }
    const wrapped: Document = new Map([[WRAPPED, argument]]);
    const filter = compileFilter(wrapped, filterOptions);
    return pullWhere('$pull', (item) => filter.matches(new Map([[WRAPPED, item]])));
  }
  if (argument instanceof Map) return pullDocuments(argument, filterOptions);
  return pullWhere('$pull', (item) => valuesEqual(item, argument, options.collation));
}

function pullDocuments(query: Document, options: Parameters<typeof compileFilter>[1]): Modifier {
  const filter = compileFilter(query, options);
  return pullWhere('$pull', (item) => item instanceof Map && filter.matches(item));
}

export function pullAll(argument: Value, options: ModifierOptions): Modifier {
  if (!Array.isArray(argument)) {
    throw badValue(`$pullAll requires an array argument but was given a ${typeName(argument)}`);
  }
  const keys = new Set(argument.map((item) => hashableKey(item, options.collation)));
  return pullWhere('$pullAll', (item) => keys.has(hashableKey(item, options.collation)));
}
