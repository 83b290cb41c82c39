import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import { isTrue } from './field-types.ts';
import { reply } from './reply.ts';

/** `fsync` (manual): with `lock` writes wait until `fsyncUnlock`, while reads go on. */
export const fsync: CommandDefinition = {
  name: 'fsync',
  help: 'Flushes writes to the disk',
  adminOnly: true,
  privilege: 'clusterAdmin',
  fields: { lock: 'bool', fsyncLockAcquisitionTimeoutMillis: 'number' },
  async run({ args, services }) {
    if (!isTrue(args.get('lock'))) {
      await services.store.write(() => undefined, { durable: true });
      return reply({ numFiles: 1 });
    }
    const lockCount = await services.store.lock();
    return reply({
      info: 'now locked against writes, use db.fsyncUnlock() to unlock',
      lockCount: BigInt(lockCount),
      seeAlso: 'http://dochub.mongodb.org/core/fsynccommand',
    });
  },
};

/** `fsyncUnlock` (manual): takes back one lock. */
export const fsyncUnlock: CommandDefinition = {
  name: 'fsyncUnlock',
  help: 'Lets writes go on after fsync with lock',
  adminOnly: true,
  privilege: 'clusterAdmin',
  fields: {},
  run({ services: { store } }) {
    if (store.lockCount === 0) {
      throw new MongoCommandError('IllegalOperation', 'fsyncUnlock called when not locked');
    }
    const lockCount = store.unlock();
    return reply({ info: 'fsyncUnlock completed', lockCount: BigInt(lockCount) });
  },
};
