import { toDocument } from '../bson/value.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `replSetGetConfig` (manual). */
export const replSetGetConfig: CommandDefinition = {
  name: 'replSetGetConfig',
  help: 'Shows the configuration of the replica set',
  adminOnly: true,
  privilege: 'clusterMonitor',
  fields: { commitmentStatus: 'bool' },
  run: ({ services: { identity } }) =>
    reply({
      config: toDocument({
        _id: identity.setName,
        version: 1,
        term: 1n,
        members: (identity.picture?.().members ?? [identity]).map(({ address }, index) =>
          toDocument({ _id: index, host: address, priority: 1, votes: 1 }),
        ),
        protocolVersion: 1n,
        writeConcernMajorityJournalDefault: true,
        settings: toDocument({ replicaSetId: identity.processId }),
      }),
    }),
};
