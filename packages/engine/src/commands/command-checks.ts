/** What is checked of every command before it runs: its times, concerns, API version and database. */
import { type Document, isDocument, Timestamp, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import { kindOf } from './command-kinds.ts';
import { isTrue } from './field-types.ts';

const LOCAL_LEVELS: readonly (Value | undefined)[] = [undefined, 'local', 'snapshot'];

/**
 * A read has nothing to wait for, a write nothing to read by (manual, "Write Concern", "Read Concern").
 *
 * @throws InvalidOptions
 */
export function checkConcerns(name: string, args: Document): void {
  const hasWriteConcern = isDocument(args.get('writeConcern'));
  const readConcern = args.get('readConcern');
  if (!hasWriteConcern && !isDocument(readConcern)) return;
  if (args.get('autocommit') === false) return;
  const kind = kindOf(name, args);
  if (hasWriteConcern && kind === 'read') {
    throw new MongoCommandError('InvalidOptions', `Command ${name} does not support writeConcern`);
  }
  if (kind !== 'write' || name === 'aggregate' || !isDocument(readConcern)) return;
  const level = readConcern.get('level');
  if (LOCAL_LEVELS.includes(level)) return;
  throw new MongoCommandError(
    'InvalidOptions',
    `Command ${name} does not support { readConcern: { level: "${String(level)}", provenance: "clientSupplied" } } :: caused by :: read concern not supported`,
  );
}

/** @throws TypeMismatch for a time that is none */
export function checkClusterTime(args: Document): void {
  const given = args.get('$clusterTime');
  if (!isDocument(given) || given.get('clusterTime') instanceof Timestamp) return;
  throw new MongoCommandError(
    'TypeMismatch',
    '"clusterTime" had the wrong type. Expected timestamp',
  );
}

const SNAPSHOT_READS: ReadonlySet<string> = new Set(['find', 'aggregate', 'distinct', 'getMore']);

/** @throws InvalidOptions for read concern "snapshot" outside of transactions (manual) */
export function checkSnapshotRead(definition: CommandDefinition, args: Document): void {
  const concern = args.get('readConcern');
  if (!isDocument(concern) || concern.get('level') !== 'snapshot') return;
  if (args.get('autocommit') === false || SNAPSHOT_READS.has(definition.name)) return;
  throw new MongoCommandError(
    'InvalidOptions',
    `Command ${definition.name} does not support { readConcern: { level: "snapshot", provenance: "clientSupplied" } } :: caused by :: read concern not supported`,
  );
}

const API_FIELDS = ['apiStrict', 'apiDeprecationErrors'] as const;

/** Stable API (manual, "Stable API"). */
export function checkApi(definition: CommandDefinition, args: Document): void {
  const version = args.get('apiVersion');
  if (version === undefined) {
    for (const field of API_FIELDS) {
      if (args.has(field)) {
        throw new MongoCommandError(
          'InvalidOptions',
          `Provided ${field} without passing apiVersion`,
        );
      }
    }
    return;
  }
  if (version !== '1') {
    throw new MongoCommandError('APIVersionError', 'API version must be "1"');
  }
  if (isTrue(args.get('apiStrict')) && !definition.stable) {
    throw new MongoCommandError(
      'APIStrictError',
      `Provided apiStrict:true, but the command ${definition.name} is not in API Version 1. Information on supported commands and migrations in API Version 1 can be found at https://dochub.mongodb.org/core/manual-versioned-api`,
    );
  }
}

const MAX_DATABASE_NAME_BYTES = 63;

/** @throws InvalidNamespace (manual, "Naming Restrictions") */
export function checkDatabaseName(name: string): void {
  if (
    name === '' ||
    (/[/\\. "$\0]/.test(name) && name !== '$external') ||
    Buffer.byteLength(name) > MAX_DATABASE_NAME_BYTES
  ) {
    throw new MongoCommandError('InvalidNamespace', `Invalid database name: '${name}'`);
  }
}
