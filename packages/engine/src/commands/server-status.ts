import { hostname } from 'node:os';
import { DateTime, type Document, toDocument, toDouble } from '../bson/value.ts';
import type { CommandDefinition } from './command.ts';
import { kindOf } from './command-kinds.ts';
import type { EngineServices } from './engine-services.ts';
import { isTrue, toNumber } from './field-types.ts';
import { reply } from './reply.ts';
import { SERVER_VERSION } from './server-identity.ts';

const MEBIBYTE = 1024 * 1024;

/** `serverStatus` (manual): counters for monitoring. */
export const serverStatus: CommandDefinition = {
  name: 'serverStatus',
  help: 'Counters for monitoring',
  privilege: 'clusterMonitor',
  fields: undefined,
  run({ args, services }) {
    const uptimeMs = Date.now() - services.identity.startedAtMs;
    const memory = process.memoryUsage();
    const status = reply({
      host: hostname(),
      version: SERVER_VERSION,
      process: 'quorate-engine',
      pid: BigInt(process.pid),
      uptime: toDouble(Math.floor(uptimeMs / 1000)),
      uptimeMillis: BigInt(uptimeMs),
      uptimeEstimate: BigInt(Math.floor(uptimeMs / 1000)),
      localTime: new DateTime(Date.now()),
      asserts: toDocument({ regular: 0, warning: 0, msg: 0, user: 0, tripwire: 0, rollovers: 0 }),
      connections: connections(services),
      extra_info: toDocument({ note: 'fields vary by platform', page_faults: 0 }),
      globalLock: globalLock(services, uptimeMs),
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
      network: toDocument({
        bytesIn: BigInt(services.connections.traffic.bytesIn),
        bytesOut: BigInt(services.connections.traffic.bytesOut),
        physicalBytesIn: BigInt(services.connections.traffic.bytesIn),
        physicalBytesOut: BigInt(services.connections.traffic.bytesOut),
        numRequests: BigInt(services.counters.command),
      }),
      opcounters: toDocument({ ...services.counters }),
      opcountersRepl: toDocument({
        insert: 0n,
        query: 0n,
        update: 0n,
        delete: 0n,
        getmore: 0n,
        command: 0n,
      }),
      oplogTruncation: toDocument({ sizeBytes: BigInt(services.oplog.sizeBytes) }),
      repl: toDocument({
        setName: services.identity.setName,
        setVersion: 1,
        isWritablePrimary: services.member.isPrimary,
        secondary: !services.member.isPrimary,
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
    // a section is left out by its name with 0
    for (const [section, value] of args) {
      if (section !== 'serverStatus' && !isTrue(value) && toNumber(value) !== undefined) {
        status.delete(section);
      }
    }
    return status;
  },
};

/** Who waits and who works; the one thread runs commands, and writes queue for the store. */
function globalLock(services: EngineServices, uptimeMs: number): Document {
  let writers = 0;
  let readers = 0;
  for (const { commandName, command } of services.operations.all()) {
    const kind = kindOf(commandName, command);
    if (kind === 'write') writers += 1;
    else if (kind === 'read') readers += 1;
  }
  return toDocument({
    totalTime: BigInt(uptimeMs) * 1000n,
    currentQueue: toDocument({ total: 0, readers: 0, writers: 0 }),
    activeClients: toDocument({ total: readers + writers, readers, writers }),
  });
}

function connections(services: EngineServices): Document {
  return toDocument({
    current: services.connections.size,
    available: 1_000_000 - services.connections.size,
    totalCreated: services.connections.totalCreated,
    active: [...services.operations.all()].length,
    rejected: 0,
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
