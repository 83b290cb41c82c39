/**
 * Text in MongoDB's JSON dialect → BSON values (rest-documents.md §2.2): extended JSON v1 and v2,
 * shell helpers, bare names. As in the MongoDB Java driver only the first name of an object decides
 * whether it is an extended-JSON scalar, commas between elements may be missing or trail, and text
 * after the top-level value is not looked at.
 */
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { Double, MaxKey, MinKey } from '../model/bson.ts';
import { isExtendedName, readExtended } from './json-extended.ts';
import { JsonParseError, JsonScanner } from './json-scanner.ts';
import { readShellValue } from './json-shell.ts';

export { JsonParseError } from './json-scanner.ts';

/** Deepest nesting read; MongoDB itself stores at most 100 levels and refuses from 200 on. */
export const MAX_JSON_DEPTH = 200;

/**
 * Reads one value.
 *
 * @throws JsonParseError with the text the MongoDB Java driver gives
 */
export function parseJson(text: string): BsonValue {
  const scanner = new JsonScanner(text);
  scanner.next();
  if (scanner.kind === 'eof') {
    throw new JsonParseError("JSON reader was expecting a value but found '<eof>'.");
  }
  return readValue(scanner, 0);
}

/** Reads a request body; an empty or blank one is no content, `undefined`. */
export function parseJsonBody(body: Uint8Array): BsonValue | undefined {
  if (body.length === 0) return undefined;
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  let text = buffer.toString('utf8');
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
  if (/^\s*$/.test(text)) return undefined;
  return parseJson(text);
}

/** Reads the value that begins with the scanner's current token. */
function readValue(scanner: JsonScanner, depth: number): BsonValue {
  switch (scanner.kind) {
    case '{':
      return readObject(scanner, depth + 1);
    case '[':
      return readArray(scanner, depth + 1);
    case 'string':
    case 'int32':
    case 'int64':
    case 'double':
    case 'regex':
      return scanner.value;
    case 'word':
      return readWord(scanner);
    default:
      throw new JsonParseError(`JSON reader was expecting a value but found '${scanner.lexeme}'.`);
  }
}

function readObject(scanner: JsonScanner, depth: number): BsonValue {
  checkDepth(depth);
  const start = scanner.position;
  scanner.next();
  if ((scanner.kind === 'string' || scanner.kind === 'word') && isExtendedName(scanner.value)) {
    const value = readExtended(scanner, scanner.value as string, (inner) =>
      readDocument(inner, depth + 1),
    );
    if (value !== undefined) return value;
    scanner.position = start;
    scanner.next();
  }
  return readFields(scanner, depth);
}

/** Reads a document whose `{` is the next token. */
function readDocument(scanner: JsonScanner, depth: number): BsonDocument {
  checkDepth(depth);
  if (scanner.next() !== '{') {
    throw new JsonParseError(`JSON reader expected '{' but found '${scanner.lexeme}'.`);
  }
  scanner.next();
  return readFields(scanner, depth);
}

/** Reads the fields of a document; the current token is the first name or the closing brace. */
function readFields(scanner: JsonScanner, depth: number): BsonDocument {
  const document: BsonDocument = new Map();
  for (;;) {
    if (scanner.kind === '}') return document;
    if (scanner.kind !== 'string' && scanner.kind !== 'word') {
      throw new JsonParseError(`JSON reader was expecting a name but found '${scanner.lexeme}'.`);
    }
    const name = scanner.value as string;
    if (name.includes('\0')) {
      throw new JsonParseError(
        `BSON cstring '${name.replaceAll('\0', '\\0')}' is not valid because it contains a null character`,
      );
    }
    if (scanner.next() !== ':') {
      throw new JsonParseError(`JSON reader was expecting ':' but found '${scanner.lexeme}'.`);
    }
    scanner.next();
    document.set(name, readValue(scanner, depth));
    if (scanner.next() === ',') scanner.next();
  }
}

function readArray(scanner: JsonScanner, depth: number): BsonValue[] {
  checkDepth(depth);
  const items: BsonValue[] = [];
  scanner.next();
  while (scanner.kind !== ']') {
    items.push(readValue(scanner, depth));
    if (scanner.next() === ',') scanner.next();
  }
  return items;
}

function readWord(scanner: JsonScanner): BsonValue {
  switch (scanner.value) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'null':
    case 'undefined':
      return null;
    case 'NaN':
      return new Double(Number.NaN);
    case 'Infinity':
      return new Double(Number.POSITIVE_INFINITY);
    case 'MinKey':
      skipEmptyCall(scanner);
      return new MinKey();
    case 'MaxKey':
      skipEmptyCall(scanner);
      return new MaxKey();
    default:
      return readShellValue(scanner);
  }
}

/** `MinKey` and `MinKey()` are the same. */
function skipEmptyCall(scanner: JsonScanner): void {
  const after = scanner.position;
  if (scanner.next() !== '(') {
    scanner.position = after;
    return;
  }
  if (scanner.next() !== ')') {
    throw new JsonParseError(`JSON reader expected ')' but found '${scanner.lexeme}'.`);
  }
}

function checkDepth(depth: number): void {
  if (depth > MAX_JSON_DEPTH) {
    throw new JsonParseError(`JSON is nested deeper than ${MAX_JSON_DEPTH} levels`);
  }
}
