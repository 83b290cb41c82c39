/** Extended JSON v1 and v2: `{"$oid": …}` and its kin, read by the rules of the MongoDB Java driver. */
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import {
  type Binary,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Long,
  MaxKey,
  MinKey,
  Timestamp,
} from '../model/bson.ts';
import {
  parseIntegerText,
  parseIsoDate,
  toBinary,
  toDate,
  toObjectId,
  toUuid,
} from './extended-values.ts';
import type { TokenKind } from './json-scanner.ts';
import { createRegex, JsonParseError, type JsonScanner } from './json-scanner.ts';

type ReadDocument = (scanner: JsonScanner) => BsonDocument;

const NAMES = new Set([
  '$binary',
  '$type',
  '$uuid',
  '$regex',
  '$options',
  '$regularExpression',
  '$code',
  '$date',
  '$maxKey',
  '$minKey',
  '$oid',
  '$symbol',
  '$timestamp',
  '$undefined',
  '$numberInt',
  '$numberLong',
  '$numberDouble',
  '$numberDecimal',
  '$dbPointer',
]);

/** Whether an object beginning with this name may be an extended-JSON scalar. */
export function isExtendedName(name: unknown): boolean {
  return typeof name === 'string' && name.charCodeAt(0) === 0x24 && NAMES.has(name);
}

/**
 * Reads the rest of an extended-JSON object after its first name; `undefined` when it turns out to
 * be an ordinary document (`{$regex: 'a'}`, `{$type: 'string'}` are query operators).
 */
export function readExtended(
  scanner: JsonScanner,
  name: string,
  readDocument: ReadDocument,
): BsonValue | undefined {
  switch (name) {
    case '$binary':
    case '$type':
      return attempt(() => readBinary(scanner, name));
    case '$regex':
    case '$options':
      return attempt(() => readLegacyRegex(scanner, name));
    case '$code':
      return readCode(scanner, readDocument);
    default: {
      expect(scanner, ':');
      const value = readSimple(scanner, name);
      expect(scanner, '}');
      return value;
    }
  }
}

function readSimple(scanner: JsonScanner, name: string): BsonValue {
  switch (name) {
    case '$oid':
      return toObjectId(expectString(scanner));
    case '$date':
      return readDate(scanner);
    case '$numberInt':
      return readNumberInt(scanner);
    case '$numberLong':
      return readNumberLong(scanner);
    case '$numberDouble':
      return readNumberDouble(scanner);
    case '$numberDecimal':
      return readNumberDecimal(scanner);
    case '$uuid':
      return toUuid(expectString(scanner));
    case '$symbol':
      return new BSONSymbol(expectString(scanner));
    case '$regularExpression': {
      const { pattern, options } = readPair(scanner, 'pattern', 'options', expectString);
      return createRegex(pattern, options);
    }
    case '$timestamp': {
      const { t, i } = readPair(scanner, 't', 'i', readUint32);
      return new Timestamp({ t, i });
    }
    case '$minKey':
      expectOne(scanner);
      return new MinKey();
    case '$maxKey':
      expectOne(scanner);
      return new MaxKey();
    case '$dbPointer':
      return readDbPointer(scanner);
    default:
      expect(scanner, 'word', 'true');
      return null;
  }
}

/** Reads the next token and insists on its kind, and on its value when one is given. */
export function expect(scanner: JsonScanner, kind: TokenKind, value?: string): void {
  const found = scanner.next();
  if (found !== kind || (value !== undefined && scanner.value !== value)) {
    throw new JsonParseError(
      `JSON reader expected '${value ?? kind}' but found '${scanner.lexeme}'.`,
    );
  }
}

/** Reads the next token, which has to be a string. */
export function expectString(scanner: JsonScanner): string {
  if (scanner.next() !== 'string') {
    throw new JsonParseError(`JSON reader expected a string but found '${scanner.lexeme}'.`);
  }
  return scanner.value as string;
}

/** Reads an integer or a string holding one as an int32. */
export function readNumberInt(scanner: JsonScanner): number {
  const kind = scanner.next();
  if (kind === 'int32') return scanner.value as number;
  const value = kind === 'string' ? parseIntegerText(scanner.value as string) : undefined;
  if (value === undefined) {
    throw new JsonParseError(`JSON reader expected an integer but found '${scanner.lexeme}'.`);
  }
  if (value !== BigInt.asIntN(32, value)) {
    throw new JsonParseError(`Exception converting value '${value}' to type java.lang.Integer`);
  }
  return Number(value);
}

/** Reads an integer or a string holding one as an int64. */
export function readNumberLong(scanner: JsonScanner): Long {
  const kind = scanner.next();
  if (kind === 'int32') return Long.fromInt(scanner.value as number);
  if (kind === 'int64') return scanner.value as Long;
  const value = kind === 'string' ? parseIntegerText(scanner.value as string) : undefined;
  if (value === undefined) {
    throw new JsonParseError(`JSON reader expected an integer but found '${scanner.lexeme}'.`);
  }
  if (value !== BigInt.asIntN(64, value)) {
    throw new JsonParseError(`Exception converting value '${value}' to type java.lang.Long`);
  }
  return Long.fromBigInt(value);
}

/** Reads a number or a string holding one as a decimal. */
export function readNumberDecimal(scanner: JsonScanner): Decimal128 {
  const kind = scanner.next();
  if (kind !== 'string' && kind !== 'int32' && kind !== 'int64' && kind !== 'double') {
    throw new JsonParseError(
      `JSON reader expected a number or a string but found '${scanner.lexeme}'.`,
    );
  }
  try {
    return Decimal128.fromString(scanner.lexeme);
  } catch {
    throw new JsonParseError(
      `Exception converting value '${scanner.lexeme}' to type org.bson.types.Decimal128`,
    );
  }
}

function readNumberDouble(scanner: JsonScanner): Double {
  const kind = scanner.next();
  if (kind === 'double') return scanner.value as Double;
  if (kind === 'int32') return new Double(scanner.value as number);
  if (kind === 'string') {
    const text = scanner.value as string;
    if (/^[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|Infinity|NaN)$/.test(text)) {
      return new Double(Number(text.endsWith('NaN') ? 'NaN' : text));
    }
    throw new JsonParseError(`Exception converting value '${text}' to type java.lang.Double`);
  }
  throw new JsonParseError(
    `JSON reader expected a number or a string but found '${scanner.lexeme}'.`,
  );
}

function readDate(scanner: JsonScanner): Date {
  switch (scanner.next()) {
    case 'int32':
      return toDate(scanner.value as number);
    case 'int64':
      return toDate((scanner.value as Long).toNumber());
    case 'string': {
      const date = parseIsoDate(scanner.value as string);
      if (date === undefined) throw new JsonParseError('Failed to parse string as a date');
      return date;
    }
    case '{': {
      const kind = scanner.next();
      if ((kind !== 'string' && kind !== 'word') || scanner.value !== '$numberLong') {
        throw new JsonParseError(
          `JSON reader expected $numberLong within $date, but found ${scanner.lexeme}`,
        );
      }
      expect(scanner, ':');
      const value = readNumberLong(scanner);
      expect(scanner, '}');
      return toDate(value.toNumber());
    }
    default:
      throw new JsonParseError(
        `JSON reader expected an integer or string but found '${scanner.lexeme}'.`,
      );
  }
}

/** v2 `{base64, subType}` or v1 `"…", "$type": "…"`, in either order. */
function readBinary(scanner: JsonScanner, first: string): Binary {
  expect(scanner, ':');
  const afterColon = scanner.position;
  if (first === '$binary' && scanner.next() === '{') {
    scanner.position = afterColon;
    const read = readPairText(scanner, 'base64', 'subType');
    expect(scanner, '}');
    return toBinary(read.base64, read.subType);
  }
  scanner.position = afterColon;
  const second = first === '$binary' ? '$type' : '$binary';
  const one = readTextOrNumber(scanner);
  expect(scanner, ',');
  expectName(scanner, second);
  expect(scanner, ':');
  const two = readTextOrNumber(scanner);
  expect(scanner, '}');
  return first === '$binary' ? toBinary(one, two) : toBinary(two, one);
}

function readLegacyRegex(scanner: JsonScanner, first: string): BsonValue {
  expect(scanner, ':');
  const one = expectString(scanner);
  expect(scanner, ',');
  expectName(scanner, first === '$regex' ? '$options' : '$regex');
  expect(scanner, ':');
  const two = expectString(scanner);
  expect(scanner, '}');
  return first === '$regex' ? createRegex(one, two) : createRegex(two, one);
}

function readCode(scanner: JsonScanner, readDocument: ReadDocument): Code {
  expect(scanner, ':');
  const code = expectString(scanner);
  const next = scanner.next();
  if (next === '}') return new Code(code);
  if (next !== ',') {
    throw new JsonParseError(`JSON reader expected ',' or '}' but found '${scanner.lexeme}'.`);
  }
  expectName(scanner, '$scope');
  expect(scanner, ':');
  const scope = readDocument(scanner);
  expect(scanner, '}');
  return new Code(code, scope);
}

function readDbPointer(scanner: JsonScanner): BsonDocument {
  expect(scanner, '{');
  expectName(scanner, '$ref');
  expect(scanner, ':');
  const reference = expectString(scanner);
  expect(scanner, ',');
  expectName(scanner, '$id');
  expect(scanner, ':');
  expect(scanner, '{');
  expectName(scanner, '$oid');
  expect(scanner, ':');
  const id = toObjectId(expectString(scanner));
  expect(scanner, '}');
  expect(scanner, '}');
  return new Map<string, BsonValue>([
    ['$ref', reference],
    ['$id', id],
  ]);
}

function expectName(scanner: JsonScanner, name: string): void {
  const kind = scanner.next();
  if ((kind !== 'string' && kind !== 'word') || scanner.value !== name) {
    throw new JsonParseError(`JSON reader expected '${name}' but found '${scanner.lexeme}'.`);
  }
}

function expectOne(scanner: JsonScanner): void {
  if (scanner.next() !== 'int32' || scanner.value !== 1) {
    throw new JsonParseError(`JSON reader expected '1' but found '${scanner.lexeme}'.`);
  }
}

/** `{first: x, second: y}` in either order. */
function readPair<T, A extends string, B extends string>(
  scanner: JsonScanner,
  first: A,
  second: B,
  read: (scanner: JsonScanner) => T,
): Record<A | B, T> {
  expect(scanner, '{');
  const kind = scanner.next();
  const name = scanner.value;
  if ((kind !== 'string' && kind !== 'word') || (name !== first && name !== second)) {
    throw new JsonParseError(
      `JSON reader expected '${first}' and '${second}' but found '${scanner.lexeme}'.`,
    );
  }
  expect(scanner, ':');
  const one = read(scanner);
  expect(scanner, ',');
  expectName(scanner, name === first ? second : first);
  expect(scanner, ':');
  const two = read(scanner);
  expect(scanner, '}');
  const values = name === first ? { [first]: one, [second]: two } : { [first]: two, [second]: one };
  return values as Record<A | B, T>;
}

function readPairText(scanner: JsonScanner, first: 'base64', second: 'subType') {
  return readPair(scanner, first, second, readTextOrNumber);
}

function readTextOrNumber(scanner: JsonScanner): string | number {
  const kind = scanner.next();
  if (kind === 'string') return scanner.value as string;
  if (kind === 'int32') return scanner.value as number;
  throw new JsonParseError(`JSON reader expected a string but found '${scanner.lexeme}'.`);
}

function readUint32(scanner: JsonScanner): number {
  const kind = scanner.next();
  const value =
    kind === 'int32'
      ? (scanner.value as number)
      : kind === 'int64'
        ? (scanner.value as Long).toNumber()
        : -1;
  if (value < 0 || value > 0xffff_ffff) {
    throw new JsonParseError(`JSON reader expected an integer but found '${scanner.lexeme}'.`);
  }
  return value;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof JsonParseError) return undefined;
    throw error;
  }
}
