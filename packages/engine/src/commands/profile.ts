import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import { toNumber } from './field-types.ts';
import { reply } from './reply.ts';

/** `profile` (manual): shows and changes what the database profiler writes down. */
export const profile: CommandDefinition = {
  name: 'profile',
  help: 'Shows and changes the level of profiling',
  privilege: 'dbAdmin',
  fields: { slowms: 'number', sampleRate: 'number', filter: 'any' },
  async run({ args, database, services }) {
    const before = services.profiler.settingsOf(database);
    const level = toNumber(args.get('profile')) ?? -1;
    if (level > 2) {
      throw new MongoCommandError(
        'BadValue',
        `BSON field 'profile' value must be <= 2, actual value '${level}'`,
      );
    }
    await services.profiler.settled();
    const slowMs = toNumber(args.get('slowms')) ?? before.slowMs;
    const sampleRate = toNumber(args.get('sampleRate')) ?? before.sampleRate;
    if (level >= 0) services.profiler.set(database, { level, slowMs, sampleRate });
    return reply({ was: before.level, slowms: before.slowMs, sampleRate: before.sampleRate });
  },
};
