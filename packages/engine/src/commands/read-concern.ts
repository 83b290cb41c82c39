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
  checkTimes(level, { afterClusterTime, atClusterTime });
  if (atClusterTime !== undefined && level !== 'snapshot') {
    throw new MongoCommandError(
      'InvalidOptions',
      "readConcern atClusterTime field is only supported with 'snapshot' read concern",
    );
  }
  return { level: level as ReadConcern['level'], afterClusterTime, atClusterTime };
}

/** @throws InvalidOptions for times that say nothing, or too much (manual, "Read Concern") */
function checkTimes(
  level: string,
  times: {
    readonly afterClusterTime?: Position | undefined;
    readonly atClusterTime?: Position | undefined;
  },
): void {
  const given = Object.entries(times).filter(([, time]) => time !== undefined);
  if (given.length > 1) {
    throw invalid('Can specify only one of afterClusterTime and atClusterTime');
  }
  const [name, time] = given[0] ?? [];
  if (time === 0n) throw invalid(`readConcern.${name} cannot be a null timestamp`);
  const isAfter = name === 'afterClusterTime';
  if (isAfter && !['local', 'majority', 'snapshot'].includes(level)) {
    throw invalid(
      'afterClusterTime field can be set only if level is equal to majority, local, or snapshot',
    );
  }
}

function invalid(message: string): MongoCommandError {
  return new MongoCommandError('InvalidOptions', message);
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
  const name = concern.atClusterTime === undefined ? 'afterClusterTime' : 'atClusterTime';
  const time = concern.atClusterTime ?? concern.afterClusterTime;
  if (time === undefined || time <= present) return;
  const clock = (BigInt(Math.floor(Date.now() / 1000)) << 32n) | 0xffff_ffffn;
  if (time > clock) {
    throw invalid(
      `readConcern ${name} value must not be greater than the current clusterTime. ` +
        `Requested clusterTime: ${time}; current clusterTime: ${present}`,
    );
  }
}
