import { Binary, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { keyOf } from '../session/session-registry.ts';

/**
 * The keys of an array of `lsid` documents, as endSessions and its relatives take it.
 *
 * @throws TypeMismatch when an element is none
 */
export function sessionKeys(command: string, value: Value | undefined): string[] {
  if (!Array.isArray(value)) {
    throw new MongoCommandError(
      'TypeMismatch',
      `BSON field '${command}.${command}' is the wrong type, expected type 'array'`,
    );
  }
  return value.map((element) => {
    const id = element instanceof Map ? element.get('id') : undefined;
    if (!(id instanceof Binary)) {
      throw new MongoCommandError(
        'TypeMismatch',
        `BSON field '${command}.id' is the wrong type, expected type 'binData'`,
      );
    }
    return keyOf(id);
  });
}
