import { DateTime, type Document, toDocument } from '../bson/value.ts';
import { type Position, toTimestamp } from '../oplog/oplog-entry.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';
import type { MemberPicture, ServerIdentity, SetPicture } from './server-identity.ts';

const STATE_NUMBERS: Readonly<Record<MemberPicture['state'], number>> = {
  PRIMARY: 1,
  SECONDARY: 2,
  DOWN: 8,
};

/** `replSetGetStatus` (manual): by default a set whose only member is primary. */
export const replSetGetStatus: CommandDefinition = {
  name: 'replSetGetStatus',
  help: 'Shows the state of the replica set',
  adminOnly: true,
  privilege: 'clusterMonitor',
  fields: { initialSync: 'any' },
  run({ services }) {
    const { identity, oplog } = services;
    const position = oplog.lastPosition;
    const picture = identity.picture?.() ?? pictureOfOne(identity, position);
    const term = BigInt(picture.term);
    const majority = Math.floor(picture.members.length / 2) + 1;
    const own = picture.members[picture.self];
    const applied = optime(position, term);
    const committed = optime(picture.majorityPosition, term);
    return reply({
      set: identity.setName,
      date: new DateTime(Date.now()),
      myState: own === undefined ? 0 : STATE_NUMBERS[own.state],
      term,
      heartbeatIntervalMillis: 2000n,
      majorityVoteCount: majority,
      writeMajorityCount: majority,
      votingMembersCount: picture.members.length,
      writableVotingMembersCount: picture.members.length,
      optimes: toDocument({
        lastCommittedOpTime: committed,
        lastCommittedWallTime: dateOf(picture.majorityPosition),
        readConcernMajorityOpTime: committed,
        appliedOpTime: applied,
        durableOpTime: applied,
        lastAppliedWallTime: dateOf(position),
        lastDurableWallTime: dateOf(position),
      }),
      members: picture.members.map((member, index) =>
        toDocument({
          _id: index,
          name: member.address,
          health: member.state === 'DOWN' ? 0 : 1,
          state: STATE_NUMBERS[member.state],
          stateStr: member.state === 'DOWN' ? '(not reachable/healthy)' : member.state,
          uptime: Math.floor((Date.now() - identity.startedAtMs) / 1000),
          optime: optime(member.position, term),
          optimeDate: dateOf(member.position),
          ...(member.state === 'PRIMARY' && {
            electionTime: toTimestamp(oplog.oldestPosition),
            electionDate: new DateTime(identity.startedAtMs),
          }),
          configVersion: 1,
          configTerm: 1,
          self: index === picture.self ? true : undefined,
        }),
      ),
    });
  },
};

function pictureOfOne(identity: ServerIdentity, position: Position): SetPicture {
  const { address } = identity;
  return {
    members: [{ address, state: 'PRIMARY', position }],
    self: 0,
    primary: address,
    term: 1,
    majorityPosition: position,
  };
}

function optime(position: Position, term: bigint): Document {
  return toDocument({ ts: toTimestamp(position), t: term });
}

function dateOf(position: Position): DateTime {
  return new DateTime((position >> 32n) * 1000n);
}
