import { QuorateError } from '../../errors/quorate-error.ts';
import type { BsonDocument } from '../../model/bson.ts';

/** The names that bodies may not use as properties of POST and PUT, and that PATCH passes on (rest-documents.md §5.1). */
const UPDATE_OPERATORS: ReadonlySet<string> = new Set([
  '$inc',
  '$mul',
  '$rename',
  '$setOnInsert',
  '$set',
  '$unset',
  '$min',
  '$max',
  '$currentDate',
  '$',
  '$[]',
  '$addToSet',
  '$pop',
  '$pullAll',
  '$pull',
  '$pushAll',
  '$push',
  '$each',
  '$position',
  '$slice',
  '$sort',
  '$bit',
  '$isolated',
]);

/** True for a name of the list in rest-documents.md §5.1. */
export function isUpdateOperator(name: string): boolean {
  return name.charCodeAt(0) === 0x24 && UPDATE_OPERATORS.has(name);
}

/** True when a top-level name is an update operator. */
export function hasUpdateOperator(document: BsonDocument): boolean {
  for (const name of document.keys()) if (isUpdateOperator(name)) return true;
  return false;
}

/** @throws ERR_REQUEST_BODY when a POST or PUT document uses an operator other than `$currentDate` */
export function checkNoUpdateOperators(document: BsonDocument): void {
  for (const name of document.keys()) {
    if (name !== '$currentDate' && isUpdateOperator(name)) {
      throw new QuorateError('ERR_REQUEST_BODY', {
        message: 'update operators (but $currentDate) cannot be used on POST and PUT requests',
      });
    }
  }
}

/** A PATCH body without the `_id` that it may repeat; one inside `$set` stays, and the database refuses to change it. */
export function withoutId(body: BsonDocument): BsonDocument {
  if (!body.has('_id')) return body;
  const rest: BsonDocument = new Map(body);
  rest.delete('_id');
  return rest;
}

/**
 * The update document of a PATCH body: operators stay, every other name goes to `$set`, unknown `$names` included
 * (rest-documents.md §5.3).
 */
export function toUpdateDocument(body: BsonDocument): BsonDocument {
  const update: BsonDocument = new Map();
  const set: BsonDocument = new Map();
  for (const [name, value] of body) {
    if (!isUpdateOperator(name)) set.set(name, value);
    else if (name === '$set' && value instanceof Map) for (const [k, v] of value) set.set(k, v);
    else update.set(name, value);
  }
  if (set.size > 0) {
    const broken = update.get('$set');
    if (broken === undefined) update.set('$set', set);
  }
  return update;
}
