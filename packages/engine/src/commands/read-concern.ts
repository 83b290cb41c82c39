import { type Document, Timestamp } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { type Position, toPosition } from '../oplog/oplog-entry.ts';

export interface ReadConcern {
  readonly level: 'local' | 'available' | 'majority' | 'linearizable' | 'snapshot';
  readonly afterClusterTime: Position | undefined;
  readonly atClusterTime: Position | undefined;
}

const LEVELS: readonly string[] = ['local', 'available', 'majority', 'linearizable', 'snapshot'];
const LOCAL: ReadConcern = {
  level: 'local',
  afterClusterTime: undefined,
  atClusterTime: undefined,
};

/**
 * The read concern of a command (manual, "Read Concern").
 *
 * @throws BadValue, FailedToParse or InvalidOptions for what is none
 */
export function parseReadConcern(document: Document | undefined): ReadConcern {
  if (document === undefined || document.size === 0) return LOCAL;
  for (const name of document.keys()) {
    if (!['level', 'afterClusterTime', 'atClusterTime', 'provenance'].includes(name)) {
      throw new MongoCommandError(
        'Location40415',
        `BSON field 'readConcern.${name}' is an unknown field.`,
      );
    }
  }
  const level = document.get('level') ?? 'local';
  if (typeof level !== 'string' || !LEVELS.includes(level)) {
    throw new MongoCommandError(
      typeof level === 'string' ? 'BadValue' : 'TypeMismatch',
      `Enumeration value '${String(level)}' for field 'readConcern.level' is not a valid value.`,
    );
  }
  const afterClusterTime = readTime(document, 'afterClusterTime');
  const atClusterTime = readTime(document, 'atClusterTime');
  if (atClusterTime !== undefined && level !== 'snapshot') {
    throw new MongoCommandError(
      'InvalidOptions',
      "readConcern atClusterTime field is only supported with 'snapshot' read concern",
    );
  }
  return { level: level as ReadConcern['level'], afterClusterTime, atClusterTime };
}

function readTime(document: Document, name: string): Position | undefined {
  const value = document.get(name);
  if (value === undefined) return undefined;
  if (!(value instanceof Timestamp)) {
    throw new MongoCommandError(
      'TypeMismatch',
      `BSON field 'readConcern.${name}' is the wrong type, expected type 'timestamp'`,
    );
  }
  return toPosition(value);
}

/**
 * Checks that the engine can have seen `afterClusterTime`. One member has always applied what it has
 * logged, so nothing is ever waited for.
 *
 * @throws InvalidOptions for a time that lies in the future
 */
export function checkAfterClusterTime(concern: ReadConcern, present: Position): void {
  const after = concern.afterClusterTime;
  if (after === undefined || after <= present) return;
  const clock = (BigInt(Math.floor(Date.now() / 1000)) << 32n) | 0xffff_ffffn;
  if (after > clock) {
    throw new MongoCommandError(
      'InvalidOptions',
      'readConcern afterClusterTime value must not be greater than the current clusterTime. ' +
        `Requested clusterTime: ${after}; current clusterTime: ${present}`,
    );
  }
}
