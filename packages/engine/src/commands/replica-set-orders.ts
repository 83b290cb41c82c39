import { isDocument } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import { isTrue, toNumber } from './field-types.ts';
import { reply } from './reply.ts';

const DEFAULT_CATCH_UP_SECONDS = 10;
const DEFAULT_STEP_DOWN_SECONDS = 60;

/**
 * The orders to a replica set (manual, "Replication Commands") as its only member answers them: there
 * is nobody to hand over to, to wait for or to add. The rehearsed set has its own of some names.
 */
export const replicaSetOrders: readonly CommandDefinition[] = [
  {
    name: 'replSetStepDown',
    help: 'The primary hands over to another member',
    adminOnly: true,
    privilege: 'clusterAdmin',
    fields: { secondaryCatchUpPeriodSecs: 'number', force: 'bool' },
    run({ args, services: { member } }) {
      const given = toNumber(args.get('replSetStepDown')) ?? 0;
      const seconds = given === 0 ? DEFAULT_STEP_DOWN_SECONDS : given;
      const catchUp = toNumber(args.get('secondaryCatchUpPeriodSecs'));
      if (!member.isPrimary) throw notPrimary();
      if (seconds < 0) throw bad('stepdown period must be a positive integer');
      if ((catchUp ?? Math.min(DEFAULT_CATCH_UP_SECONDS, seconds)) > seconds) {
        throw bad('stepdown period must be longer than secondaryCatchUpPeriodSecs');
      }
      if (isTrue(args.get('force'))) {
        member.stepDown(seconds);
        return reply();
      }
      // MongoDB waits for the catch-up period first; no member can come meanwhile
      throw new MongoCommandError(
        'ExceededTimeLimit',
        'No electable secondaries caught up. Please use the replSetStepDown command with the argument {force: true} to force node to step down.',
      );
    },
  },
  {
    name: 'replSetFreeze',
    help: 'Keeps a secondary from seeking election',
    adminOnly: true,
    privilege: 'clusterAdmin',
    fields: {},
    run({ args, services: { member } }) {
      if (!member.isPrimary) {
        // 0 ends the time in which it seeks no election, which it wins at once
        if ((toNumber(args.get('replSetFreeze')) ?? 0) === 0) member.elect();
        return reply();
      }
      throw new MongoCommandError(
        'NotSecondary',
        'cannot freeze node when primary or running for election. state: Primary',
      );
    },
  },
  {
    name: 'replSetStepUp',
    help: 'This member seeks election',
    adminOnly: true,
    privilege: 'clusterAdmin',
    fields: { skipDryRun: 'bool' },
    run({ services: { member } }) {
      member.elect();
      return reply();
    },
  },
  {
    name: 'replSetInitiate',
    help: 'Begins a replica set',
    adminOnly: true,
    privilege: 'clusterAdmin',
    fields: undefined,
    run() {
      throw new MongoCommandError('AlreadyInitialized', 'already initialized');
    },
  },
  {
    name: 'replSetReconfig',
    help: 'Changes the members of the replica set',
    adminOnly: true,
    privilege: 'clusterAdmin',
    fields: { force: 'bool', maxTimeMS: 'number' },
    run({ args, services: { identity } }) {
      const config = args.get('replSetReconfig');
      const members = isDocument(config) ? config.get('members') : undefined;
      if (!isDocument(config) || !Array.isArray(members) || members.length === 0) {
        throw new MongoCommandError('InvalidReplicaSetConfig', 'the set needs its members');
      }
      if (config.get('_id') !== identity.setName) {
        throw new MongoCommandError(
          'NewReplicaSetConfigurationIncompatible',
          `New and old configurations differ in replica set name; old was ${identity.setName}, and new is ${String(config.get('_id'))}`,
        );
      }
      throw new MongoCommandError(
        members.length > 1 ? 'NodeNotFound' : 'NewReplicaSetConfigurationIncompatible',
        members.length > 1
          ? 'Quorum check failed because not enough voting nodes responded: this set has one member for good'
          : 'the configuration of a set of one member is fixed',
      );
    },
  },
  {
    name: 'replSetMaintenance',
    help: 'Takes a secondary out of service',
    adminOnly: true,
    privilege: 'clusterAdmin',
    fields: {},
    run() {
      throw new MongoCommandError('NotSecondary', "primaries can't modify maintenance mode");
    },
  },
];

function notPrimary(): MongoCommandError {
  return new MongoCommandError('NotWritablePrimary', "not primary so can't step down");
}

function bad(message: string): MongoCommandError {
  return new MongoCommandError('BadValue', message);
}
