import { MongoCommandError } from '../errors/mongo-command-error.ts';

const MAX_DATABASE_BYTES = 63;
const MAX_NAMESPACE_BYTES = 255;
const BAD_IN_DATABASE = /[/\\. "$\0]/;
/** System collections that clients may write. */
const OPEN_SYSTEM = /^system\.(js|views|profile|users|roles|version|buckets\..+)$/;

function invalid(message: string): MongoCommandError {
  return new MongoCommandError('InvalidNamespace', message);
}

/**
 * Checks the name of a database (manual, "MongoDB Limits and Thresholds").
 *
 * @throws InvalidNamespace
 */
export function checkDatabaseName(name: string): void {
  if (name === '' || BAD_IN_DATABASE.test(name) || Buffer.byteLength(name) > MAX_DATABASE_BYTES) {
    throw invalid(`Invalid database name: '${name}'`);
  }
}

/**
 * Checks the name of a collection that is to be made.
 *
 * @throws InvalidNamespace
 */
export function checkCollectionName(database: string, name: string): void {
  checkDatabaseName(database);
  const namespace = `${database}.${name}`;
  if (name === '' || name.includes('\0') || name.startsWith('.') || name.endsWith('.')) {
    throw invalid(`Invalid namespace specified '${namespace}'`);
  }
  if (name.includes('$')) throw invalid(`Invalid collection name: ${name}`);
  if (Buffer.byteLength(namespace) > MAX_NAMESPACE_BYTES) {
    throw invalid(
      `Fully qualified namespace is too long. Namespace: ${namespace} Max: ${MAX_NAMESPACE_BYTES}`,
    );
  }
  if (name.startsWith('system.') && !OPEN_SYSTEM.test(name)) {
    throw invalid(`Invalid system namespace: ${namespace}`);
  }
}
