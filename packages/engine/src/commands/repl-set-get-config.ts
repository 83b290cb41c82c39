import { type Document, toDocument } from '../bson/value.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';
import type { ServerIdentity } from './server-identity.ts';

/** `replSetGetConfig` (manual). */
export const replSetGetConfig: CommandDefinition = {
  name: 'replSetGetConfig',
  help: 'Shows the configuration of the replica set',
  adminOnly: true,
  privilege: 'clusterMonitor',
  fields: { commitmentStatus: 'bool' },
  run: ({ services: { identity } }) => reply({ config: setConfiguration(identity) }),
};

/** The configuration of the set, in full as MongoDB completes it. */
export function setConfiguration(identity: ServerIdentity): Document {
  return toDocument({
    _id: identity.setName,
    version: 1,
    term: 1,
    members: (identity.picture?.().members ?? [identity]).map(({ address }, index) =>
      toDocument({
        _id: index,
        host: address,
        arbiterOnly: false,
        buildIndexes: true,
        hidden: false,
        priority: 1,
        tags: toDocument({}),
        secondaryDelaySecs: 0n,
        votes: 1,
      }),
    ),
    protocolVersion: 1n,
    writeConcernMajorityJournalDefault: true,
    settings: toDocument({
      chainingAllowed: true,
      heartbeatIntervalMillis: 2000,
      heartbeatTimeoutSecs: 10,
      electionTimeoutMillis: 10000,
      catchUpTimeoutMillis: -1,
      catchUpTakeoverDelayMillis: 30000,
      getLastErrorModes: toDocument({}),
      getLastErrorDefaults: toDocument({ w: 1, wtimeout: 0 }),
      replicaSetId: identity.processId,
    }),
  });
}
