/** The check of BSON that comes from outside. */
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { asBuffer, endOfName, invalid, readInt32 } from './bytes.ts';
import { endOfValue } from './raw-fields.ts';
import { BsonType } from './types.ts';

/** How deep the server lets BSON nest in a message (MongoDB's maxBSONDepth default). */
export const MAX_BSON_DEPTH = 200;

function validateContainer(buffer: Buffer, at: number, limit: number, depth: number): void {
  if (depth < 0) throw new MongoCommandError('Overflow', 'BSONObj exceeds maximum nested depth');
  const size = at + 4 > limit ? 0 : readInt32(buffer, at);
  const last = at + size - 1;
  if (size < 5 || last >= limit || buffer[last] !== 0) {
    throw invalid('invalid BSON document length');
  }
  let next = at + 4;
  while (next < last) {
    const type = buffer[next] as number;
    const start = endOfName(buffer, next + 1, last) + 1;
    const end = endOfValue(buffer, type, start, last);
    validateValue(buffer, type, start, end, depth);
    next = end;
  }
  if (next !== last) throw invalid('BSON document ends at the wrong place');
}

function validateValue(
  buffer: Buffer,
  type: number,
  start: number,
  end: number,
  depth: number,
): void {
  switch (type) {
    case BsonType.object:
    case BsonType.array:
      validateContainer(buffer, start, end, depth - 1);
      return;
    case BsonType.string:
    case BsonType.javascript:
    case BsonType.symbol:
      if (end - start < 5 || buffer[end - 1] !== 0) throw invalid('invalid string length');
      return;
    case BsonType.dbPointer:
      if (end - start < 17 || buffer[end - 13] !== 0) throw invalid('invalid string length');
      return;
    case BsonType.bool:
      if ((buffer[start] as number) > 1) throw invalid('invalid boolean');
      return;
    case BsonType.javascriptWithScope: {
      if (end - start < 14) throw invalid('invalid code with scope');
      const scopeStart = endOfValue(buffer, BsonType.string, start + 4, end);
      if (scopeStart < start + 9 || buffer[scopeStart - 1] !== 0) {
        throw invalid('invalid string length');
      }
      validateContainer(buffer, scopeStart, end, depth - 1);
      return;
    }
    default:
  }
}

/**
 * Checks the structure of one whole document that came from outside: lengths, terminators, types
 * and depth. UTF-8 is not checked (the server's default, too).
 *
 * @throws InvalidBSON, or Overflow when it nests deeper than `maxDepth`
 */
export function validateBson(bytes: Uint8Array, maxDepth: number = MAX_BSON_DEPTH): void {
  const buffer = asBuffer(bytes);
  if (buffer.length < 5 || readInt32(buffer, 0) !== buffer.length) {
    throw invalid('invalid BSON document length');
  }
  validateContainer(buffer, 0, buffer.length, maxDepth);
}
