import { DateTime, toDocument } from '../bson/value.ts';
import { toTimestamp } from '../oplog/oplog-entry.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `replSetGetStatus` (manual): a set whose only member is primary. */
export const replSetGetStatus: CommandDefinition = {
  name: 'replSetGetStatus',
  help: 'Shows the state of the replica set',
  adminOnly: true,
  privilege: 'clusterMonitor',
  fields: { initialSync: 'any' },
  run({ services }) {
    const { identity, oplog } = services;
    const position = oplog.lastPosition;
    const optime = toDocument({ ts: toTimestamp(position), t: 1n });
    const date = new DateTime((position >> 32n) * 1000n);
    return reply({
      set: identity.setName,
      date: new DateTime(Date.now()),
      myState: 1,
      term: 1n,
      heartbeatIntervalMillis: 2000n,
      majorityVoteCount: 1,
      writeMajorityCount: 1,
      votingMembersCount: 1,
      writableVotingMembersCount: 1,
      optimes: toDocument({
        lastCommittedOpTime: optime,
        lastCommittedWallTime: date,
        readConcernMajorityOpTime: optime,
        appliedOpTime: optime,
        durableOpTime: optime,
        lastAppliedWallTime: date,
        lastDurableWallTime: date,
      }),
      members: [
        toDocument({
          _id: 0,
          name: identity.address,
          health: 1,
          state: 1,
          stateStr: 'PRIMARY',
          uptime: Math.floor((Date.now() - identity.startedAtMs) / 1000),
          optime,
          optimeDate: date,
          electionTime: toTimestamp(oplog.oldestPosition),
          electionDate: new DateTime(identity.startedAtMs),
          configVersion: 1,
          configTerm: 1,
          self: true,
        }),
      ],
    });
  },
};
