import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import { isTrue } from './field-types.ts';
import { reply } from './reply.ts';

/** `fsync` (manual), without its lock. */
export const fsync: CommandDefinition = {
  name: 'fsync',
  help: 'Flushes writes to the disk',
  adminOnly: true,
  privilege: 'clusterAdmin',
  fields: { lock: 'bool', fsyncLockAcquisitionTimeoutMillis: 'number' },
  async run({ args, services }) {
    if (isTrue(args.get('lock'))) {
      throw new MongoCommandError('NotImplemented', 'fsync with lock is not supported');
    }
    await services.store.write(() => undefined, { durable: true });
    return reply({ numFiles: 1 });
  },
};
