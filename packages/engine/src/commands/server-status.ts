import { hostname } from 'node:os';
import { DateTime, type Document, toDocument, toDouble } from '../bson/value.ts';
import type { CommandDefinition } from './command.ts';
import type { EngineServices } from './engine-services.ts';
import { reply } from './reply.ts';
import { SERVER_VERSION } from './server-identity.ts';

const MEBIBYTE = 1024 * 1024;

/** `serverStatus` (manual): counters for monitoring. */
export const serverStatus: CommandDefinition = {
  name: 'serverStatus',
  help: 'Counters for monitoring',
  privilege: 'clusterMonitor',
  fields: undefined,
  run({ services }) {
    const uptimeMs = Date.now() - services.identity.startedAtMs;
    const memory = process.memoryUsage();
    return reply({
      host: hostname(),
      version: SERVER_VERSION,
      process: 'quorate-engine',
      pid: BigInt(process.pid),
      uptime: toDouble(Math.floor(uptimeMs / 1000)),
      uptimeMillis: BigInt(uptimeMs),
      uptimeEstimate: BigInt(Math.floor(uptimeMs / 1000)),
      localTime: new DateTime(Date.now()),
      connections: connections(services),
      globalLock: toDocument({ totalTime: BigInt(uptimeMs) * 1000n }),
      logicalSessionRecordCache: toDocument({ activeSessionsCount: services.sessions.size }),
      mem: toDocument({
        bits: 64,
        resident: Math.round(memory.rss / MEBIBYTE),
        virtual: Math.round(memory.rss / MEBIBYTE),
        supported: true,
      }),
      metrics: toDocument({
        cursor: toDocument({
          timedOut: BigInt(services.cursors.timedOut),
          totalOpened: BigInt(services.cursors.totalOpened),
          open: toDocument({
            noTimeout: BigInt([...services.cursors.all()].filter((c) => c.noTimeout).length),
            pinned: BigInt([...services.cursors.all()].filter((c) => c.pinnedBy).length),
            total: BigInt(services.cursors.size),
          }),
        }),
      }),
      opcounters: toDocument({ ...services.counters }),
      oplogTruncation: toDocument({ sizeBytes: BigInt(services.oplog.sizeBytes) }),
      repl: toDocument({
        setName: services.identity.setName,
        setVersion: 1,
        isWritablePrimary: true,
        secondary: false,
        primary: services.identity.address,
        hosts: [services.identity.address],
        me: services.identity.address,
        electionId: services.identity.electionId,
      }),
      storageEngine: toDocument({
        name: 'lmdb',
        supportsCommittedReads: true,
        supportsSnapshotReadConcern: true,
        readOnly: false,
        persistent: true,
      }),
      transactions: transactions(services),
    });
  },
};

function connections(services: EngineServices): Document {
  return toDocument({
    current: services.connections.size,
    available: 1_000_000 - services.connections.size,
    totalCreated: services.connections.totalCreated,
  });
}

function transactions(services: EngineServices): Document {
  const open = [...services.sessions.all()].filter((session) => session.transaction?.isOpen);
  return toDocument({
    retriedCommandsCount: 0n,
    currentOpen: BigInt(open.length),
    currentActive: 0n,
    currentInactive: BigInt(open.length),
  });
}
