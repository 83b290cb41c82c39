/** The shell's constructors inside JSON: `ObjectId('…')`, `new Date(…)`, `NumberLong(1)` and so on. */
import type { BsonValue } from '../model/bson.ts';
import { Binary, ObjectId, Timestamp } from '../model/bson.ts';
import { parseIsoDate, toBinary, toDate, toObjectId, toUuid } from './extended-values.ts';
import {
  expect,
  expectString,
  readNumberDecimal,
  readNumberInt,
  readNumberLong,
} from './json-extended.ts';
import { createRegex, JsonParseError, type JsonScanner } from './json-scanner.ts';

/** Reads a value that begins with a word which is no literal, such as `ISODate`. */
export function readShellValue(scanner: JsonScanner): BsonValue {
  const word = scanner.value as string;
  if (word === 'new') {
    const kind = scanner.next();
    const name = scanner.value as string;
    if (kind !== 'word' || !(name in CONSTRUCTORS)) {
      throw new JsonParseError(`JSON reader expected a type name but found '${scanner.lexeme}'.`);
    }
    return name === 'Date' ? readDate(scanner) : readCall(scanner, name);
  }
  if (!Object.hasOwn(CONSTRUCTORS, word)) {
    throw new JsonParseError(`JSON reader was expecting a value but found '${word}'.`);
  }
  return readCall(scanner, word);
}

function readCall(scanner: JsonScanner, name: string): BsonValue {
  const read = CONSTRUCTORS[name];
  if (read === undefined) {
    throw new JsonParseError(`JSON reader was expecting a value but found '${name}'.`);
  }
  return read(scanner);
}

const CONSTRUCTORS: Readonly<Record<string, (scanner: JsonScanner) => BsonValue>> = {
  __proto__: null as never,
  ObjectId: readObjectId,
  ISODate: readIsoDate,
  Date: readDateText,
  NumberInt: (scanner) => readArgument(scanner, readNumberInt),
  NumberLong: (scanner) => readArgument(scanner, readNumberLong),
  NumberDecimal: (scanner) => readArgument(scanner, readNumberDecimal),
  UUID: (scanner) => readArgument(scanner, (inner) => toUuid(expectString(inner))),
  Timestamp: readTimestamp,
  BinData: readBinData,
  HexData: readHexData,
  RegExp: readRegExp,
  DBPointer: readDbPointer,
};

function readArgument<T>(scanner: JsonScanner, read: (scanner: JsonScanner) => T): T {
  expect(scanner, '(');
  const value = read(scanner);
  expect(scanner, ')');
  return value;
}

/** Without an argument a fresh one, as in the shell. */
function readObjectId(scanner: JsonScanner): ObjectId {
  expect(scanner, '(');
  const afterParen = scanner.position;
  if (scanner.next() === ')') return new ObjectId();
  scanner.position = afterParen;
  const id = toObjectId(expectString(scanner));
  expect(scanner, ')');
  return id;
}

function readIsoDate(scanner: JsonScanner): Date {
  expect(scanner, '(');
  const kind = scanner.next();
  if (kind === ')') return new Date();
  if (kind !== 'string') {
    throw new JsonParseError(`JSON reader expected a string but found '${scanner.lexeme}'.`);
  }
  const text = scanner.value as string;
  expect(scanner, ')');
  const date = parseIsoDate(text);
  if (date === undefined) throw new JsonParseError('Invalid date format.');
  return date;
}

/** `Date(…)` without `new` is the current time as text, whatever its arguments. */
function readDateText(scanner: JsonScanner): string {
  expect(scanner, '(');
  while (scanner.next() !== ')') {
    if (scanner.kind === 'eof') {
      throw new JsonParseError("JSON reader expected ')' but found '<eof>'.");
    }
  }
  return new Date().toUTCString();
}

/** `new Date()`, `new Date(ms)`, `new Date("iso")`, `new Date(y, m, d[, h, mi, s, ms])` in UTC. */
function readDate(scanner: JsonScanner): Date {
  expect(scanner, '(');
  const kind = scanner.next();
  if (kind === ')') return new Date();
  if (kind === 'string') {
    const text = scanner.value as string;
    expect(scanner, ')');
    const date = parseIsoDate(text) ?? toDateFromText(text);
    if (Number.isNaN(date.getTime())) throw new JsonParseError(`Invalid date '${text}'`);
    return date;
  }
  const parts: number[] = [];
  for (;;) {
    if (scanner.kind !== 'int32' && scanner.kind !== 'int64') {
      throw new JsonParseError(`JSON reader expected an integer but found '${scanner.lexeme}'.`);
    }
    parts.push(Number(scanner.value));
    const next = scanner.next();
    if (next === ')') break;
    if (next !== ',') {
      throw new JsonParseError(`JSON reader expected ',' or ')' but found '${scanner.lexeme}'.`);
    }
    scanner.next();
  }
  const [first = 0, month = 0, day = 1, ...time] = parts;
  if (parts.length === 1) return toDate(first);
  if (parts.length < 3 || parts.length > 7) {
    throw new JsonParseError(`JSON reader expected 1 or 3-7 integers but found ${parts.length}.`);
  }
  const date = new Date(0);
  date.setUTCFullYear(first, month, day);
  const [hour = 0, minute = 0, second = 0, millis = 0] = time;
  date.setUTCHours(hour, minute, second, millis);
  return date;
}

function toDateFromText(text: string): Date {
  return new Date(Date.parse(text));
}

function readTimestamp(scanner: JsonScanner): Timestamp {
  expect(scanner, '(');
  const t = readUnsigned(scanner);
  expect(scanner, ',');
  const i = readUnsigned(scanner);
  expect(scanner, ')');
  return new Timestamp({ t, i });
}

function readUnsigned(scanner: JsonScanner): number {
  const kind = scanner.next();
  const value = kind === 'int32' || kind === 'int64' ? Number(String(scanner.value)) : Number.NaN;
  if (!(value >= 0 && value <= 0xffff_ffff)) {
    throw new JsonParseError(`JSON reader expected an integer but found '${scanner.lexeme}'.`);
  }
  return value;
}

function readBinData(scanner: JsonScanner): Binary {
  expect(scanner, '(');
  const subType = readUnsigned(scanner);
  expect(scanner, ',');
  const base64 = expectString(scanner);
  expect(scanner, ')');
  return toBinary(base64, subType);
}

function readHexData(scanner: JsonScanner): Binary {
  expect(scanner, '(');
  const subType = readUnsigned(scanner);
  expect(scanner, ',');
  const hex = expectString(scanner);
  expect(scanner, ')');
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) {
    throw new JsonParseError(`A hex string can only contain the characters 0-9, A-F, a-f: ${hex}`);
  }
  return new Binary(Buffer.from(hex, 'hex'), subType & 0xff);
}

function readRegExp(scanner: JsonScanner): BsonValue {
  expect(scanner, '(');
  const pattern = expectString(scanner);
  let options = '';
  if (scanner.next() === ',') {
    options = expectString(scanner);
    scanner.next();
  }
  if (scanner.kind !== ')') {
    throw new JsonParseError(`JSON reader expected ')' but found '${scanner.lexeme}'.`);
  }
  return createRegex(pattern, options);
}

function readDbPointer(scanner: JsonScanner): BsonValue {
  expect(scanner, '(');
  const reference = expectString(scanner);
  expect(scanner, ',');
  const kind = scanner.next();
  const id = kind === 'string' ? toObjectId(scanner.value as string) : readNestedObjectId(scanner);
  expect(scanner, ')');
  return new Map<string, BsonValue>([
    ['$ref', reference],
    ['$id', id],
  ]);
}

function readNestedObjectId(scanner: JsonScanner): ObjectId {
  if (scanner.kind !== 'word' || scanner.value !== 'ObjectId') {
    throw new JsonParseError(`JSON reader expected ObjectId but found '${scanner.lexeme}'.`);
  }
  return readObjectId(scanner);
}
