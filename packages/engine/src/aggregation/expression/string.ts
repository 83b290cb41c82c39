/** String operators by code point (`…CP`) and by UTF-8 byte (`…Bytes`). */
import { BSONSymbol, Code, DateTime, Timestamp, type Value } from '../../bson/value.ts';
import { locationError } from '../aggregation-error.ts';
import { readBound } from './array.ts';
import { formatNumber } from './number-text.ts';
import { binary, type OperatorCompiler, type OperatorTable, unary, variadic } from './operator.ts';
import {
  formatIsoDate,
  isNullish,
  isNumeric,
  toInt32,
  toJsNumber,
  typeName,
} from './value-kind.ts';

type Argument = Value | undefined;

/** What `$toLower`, `$substr…` and `$strcasecmp` make of a value that is no string. */
export function coerceToString(value: Argument): string {
  if (typeof value === 'string') return value;
  if (isNullish(value)) return '';
  if (isNumeric(value)) return formatNumber(value);
  if (value instanceof DateTime) return formatIsoDate(value);
  if (value instanceof Code) return value.code.toString();
  if (value instanceof BSONSymbol) return value.value;
  if (value instanceof Timestamp) return `Timestamp(${value.t}, ${value.i})`;
  throw locationError(16007, `can't convert from BSON type ${typeName(value)} to String`);
}

const toLowerAscii = (text: string): string =>
  text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
const toUpperAscii = (text: string): string =>
  text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());

/** Byte order of the UTF-8 forms, which is code point order. */
function compareBytes(left: string, right: string): number {
  return left === right ? 0 : Math.sign(Buffer.compare(Buffer.from(left), Buffer.from(right)));
}

function concat(values: readonly Argument[]): Argument {
  let result = '';
  for (const value of values) {
    if (isNullish(value)) return null;
    if (typeof value !== 'string') {
      throw locationError(16702, `$concat only supports strings, not ${typeName(value)}`);
    }
    result += value;
  }
  return result;
}

function split(text: Argument, separator: Argument): Argument {
  if (isNullish(text) || isNullish(separator)) return null;
  if (typeof text !== 'string') {
    throw locationError(
      40085,
      `$split requires an expression that evaluates to a string as a first argument, found: ${typeName(text)}`,
    );
  }
  if (typeof separator !== 'string') {
    throw locationError(
      40086,
      `$split requires an expression that evaluates to a string as a second argument, found: ${typeName(separator)}`,
    );
  }
  if (separator === '') throw locationError(40087, '$split requires a non-empty separator');
  return text.split(separator);
}

function substrBytes(text: Argument, start: Argument, length: Argument, name: string): Argument {
  const bytes = Buffer.from(coerceToString(text));
  if (!isNumeric(start)) {
    throw locationError(
      16034,
      `${name}:  starting index must be a numeric type (is BSON type ${typeName(start)})`,
    );
  }
  if (!isNumeric(length)) {
    throw locationError(
      16035,
      `${name}:  length must be a numeric type (is BSON type ${typeName(length)})`,
    );
  }
  const from = Math.trunc(toJsNumber(start));
  if (from < 0) {
    throw locationError(50752, `${name}:  starting index must be non-negative (got: ${from})`);
  }
  const count = Math.trunc(toJsNumber(length));
  const to = count < 0 ? bytes.length : Math.min(bytes.length, from + count);
  if (isContinuation(bytes[from])) {
    throw locationError(
      28656,
      `${name}:  Invalid range, starting index is a UTF-8 continuation byte.`,
    );
  }
  if (isContinuation(bytes[to])) {
    throw locationError(
      28657,
      `${name}:  Invalid range, ending index is in the middle of a UTF-8 character.`,
    );
  }
  return bytes.subarray(from, to).toString();
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function substrCodePoints(text: Argument, start: Argument, length: Argument): Argument {
  const from = readSubstrPart('starting index', start, 34450, 34451);
  const count = readSubstrPart('length', length, 34452, 34453);
  if (count < 0) throw locationError(34454, '$substrCP: length must be a nonnegative integer.');
  if (from < 0) {
    throw locationError(34455, '$substrCP: the starting index must be nonnegative integer.');
  }
  return [...coerceToString(text)].slice(from, from + count).join('');
}

function readSubstrPart(
  which: string,
  value: Argument,
  notNumeric: number,
  notInt: number,
): number {
  if (!isNumeric(value)) {
    throw locationError(
      notNumeric,
      `$substrCP: ${which} must be a numeric type (is BSON type ${typeName(value)})`,
    );
  }
  const integer = toInt32(value);
  if (integer === undefined) {
    throw locationError(
      notInt,
      `$substrCP: ${which} cannot be represented as a 32-bit integral value: ${formatNumber(value)}`,
    );
  }
  return integer;
}

interface IndexOfText {
  readonly units: (text: string) => number;
  readonly find: (text: string, wanted: string, from: number, to: number) => number;
  readonly codes: readonly [number, number];
}

function indexOf({ units, find, codes }: IndexOfText): OperatorCompiler {
  return variadic(2, 4, (values, name) => {
    const [text, wanted, start, end] = values;
    if (isNullish(text)) return null;
    if (typeof text !== 'string') {
      throw locationError(
        codes[0],
        `${name} requires a string as the first argument, found: ${typeName(text)}`,
      );
    }
    if (typeof wanted !== 'string') {
      throw locationError(
        codes[1],
        `${name} requires a string as the second argument, found: ${typeName(wanted)}`,
      );
    }
    const from = values.length > 2 ? readBound(name, 'starting', start) : 0;
    const length = units(text);
    const to = values.length > 3 ? Math.min(readBound(name, 'ending', end), length) : length;
    return from > length || to < from ? -1 : find(text, wanted, from, to);
  });
}

const byBytes: IndexOfText = {
  units: (text) => Buffer.byteLength(text),
  find: (text, wanted, from, to) => {
    const found = Buffer.from(text).subarray(0, to).indexOf(wanted, from);
    return found;
  },
  codes: [40091, 40092],
};

const byCodePoints: IndexOfText = {
  units: (text) => [...text].length,
  find: (text, wanted, from, to) => {
    const points = [...text].slice(from, to);
    const at = points.join('').indexOf(wanted);
    return at < 0 ? -1 : from + [...points.join('').slice(0, at)].length;
  },
  codes: [40093, 40094],
};

function stringLength(code: number, measure: (text: string) => number): OperatorCompiler {
  return unary((value, name) => {
    if (typeof value !== 'string') {
      throw locationError(code, `${name} requires a string argument, found: ${typeName(value)}`);
    }
    return measure(value);
  });
}

const substrBytesOperator = variadic(3, 3, ([text, start, length], name) =>
  substrBytes(text, start, length, name),
);

export const stringOperators: OperatorTable = {
  $concat: variadic(0, Number.POSITIVE_INFINITY, concat),
  $indexOfBytes: indexOf(byBytes),
  $indexOfCP: indexOf(byCodePoints),
  $split: binary(split),
  $strLenBytes: stringLength(34473, byBytes.units),
  $strLenCP: stringLength(34471, byCodePoints.units),
  $strcasecmp: binary((left, right) =>
    compareBytes(toUpperAscii(coerceToString(left)), toUpperAscii(coerceToString(right))),
  ),
  $substr: substrBytesOperator,
  $substrBytes: substrBytesOperator,
  $substrCP: variadic(3, 3, ([text, start, length]) => substrCodePoints(text, start, length)),
  $toLower: unary((value) => toLowerAscii(coerceToString(value))),
  $toUpper: unary((value) => toUpperAscii(coerceToString(value))),
};
