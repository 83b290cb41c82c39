import { type Document, isDocument } from '../bson/value.ts';

/** Commands that only a primary takes. */
const WRITES: ReadonlySet<string> = new Set([
  'abortTransaction',
  'bulkWrite',
  'cloneCollectionAsCapped',
  'collMod',
  'commitTransaction',
  'convertToCapped',
  'create',
  'createIndexes',
  'createUser',
  'delete',
  'deleteIndexes',
  'drop',
  'dropAllUsersFromDatabase',
  'dropDatabase',
  'dropIndexes',
  'dropUser',
  'findAndModify',
  'findandmodify',
  'grantRolesToUser',
  'insert',
  'renameCollection',
  'revokeRolesFromUser',
  'update',
  'updateUser',
]);

/** Commands that a secondary answers to those who ask for it by a read preference. */
const READS: ReadonlySet<string> = new Set([
  'aggregate',
  'collStats',
  'collstats',
  'count',
  'dataSize',
  'dbStats',
  'dbstats',
  'distinct',
  'explain',
  'find',
  'listCollections',
  'listDatabases',
  'listIndexes',
  'usersInfo',
  'validate',
]);

export type CommandKind = 'read' | 'write' | 'any';

/** Which members take a command. */
export function kindOf(name: string, args: Document): CommandKind {
  if (WRITES.has(name) || args.get('autocommit') === false) return 'write';
  if (!READS.has(name)) return 'any';
  return name === 'aggregate' && writesOutput(args) ? 'write' : 'read';
}

/** Whether a running command ends when its member steps down. */
export function isWriteOperation(name: string, args: Document): boolean {
  return kindOf(name, args) === 'write';
}

function writesOutput(args: Document): boolean {
  const pipeline = args.get('pipeline');
  const last = Array.isArray(pipeline) ? pipeline.at(-1) : undefined;
  return isDocument(last) && (last.has('$out') || last.has('$merge'));
}

/** `$readPreference` of a command allows a secondary. */
export function allowsSecondary(args: Document): boolean {
  const preference = args.get('$readPreference');
  if (!isDocument(preference)) return false;
  const mode = preference.get('mode');
  return typeof mode === 'string' && mode !== 'primary';
}
