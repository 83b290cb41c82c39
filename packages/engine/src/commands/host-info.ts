import { arch, cpus, hostname, platform, release, totalmem, type } from 'node:os';
import { DateTime, toDocument } from '../bson/value.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `hostInfo` (manual): the machine underneath. */
export const hostInfo: CommandDefinition = {
  name: 'hostInfo',
  help: 'Describes the machine the server runs on',
  privilege: 'clusterMonitor',
  fields: {},
  run: () =>
    reply({
      system: toDocument({
        currentTime: new DateTime(Date.now()),
        hostname: hostname(),
        cpuAddrSize: 64,
        memSizeMB: BigInt(Math.round(totalmem() / 1024 / 1024)),
        memLimitMB: BigInt(Math.round(totalmem() / 1024 / 1024)),
        numCores: cpus().length,
        cpuArch: arch(),
        numaEnabled: false,
      }),
      os: toDocument({ type: type(), name: platform(), version: release() }),
      extra: toDocument({ versionString: `${type()} ${release()}` }),
    }),
};
