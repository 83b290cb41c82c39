import { toDocument } from '../bson/value.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';
import {
  GIT_VERSION,
  MAX_BSON_OBJECT_BYTES,
  SERVER_VERSION,
  SERVER_VERSION_ARRAY,
} from './server-identity.ts';

/** `buildInfo` (manual). The version is that of the MongoDB whose behaviour is followed. */
export const buildInfo: CommandDefinition = {
  name: 'buildInfo',
  aliases: ['buildinfo'],
  help: 'Describes this build of the server',
  anonymous: true,
  privilege: 'none',
  fields: {},
  run: () =>
    reply({
      version: SERVER_VERSION,
      gitVersion: GIT_VERSION,
      modules: ['quorate'],
      allocator: 'system',
      javascriptEngine: 'none',
      sysInfo: 'deprecated',
      versionArray: [...SERVER_VERSION_ARRAY],
      openssl: toDocument({
        running: process.versions.openssl ?? '',
        compiled: process.versions.openssl ?? '',
      }),
      buildEnvironment: toDocument({ target_arch: process.arch, target_os: process.platform }),
      bits: 64,
      debug: false,
      maxBsonObjectSize: MAX_BSON_OBJECT_BYTES,
      storageEngines: ['lmdb'],
    }),
};
