import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import { toNumber } from './field-types.ts';
import { reply } from './reply.ts';

/** `profile` (manual). There is no profiler: asking is answered, switching it on is refused. */
export const profile: CommandDefinition = {
  name: 'profile',
  help: 'Shows the level of profiling, which is always off',
  privilege: 'dbAdmin',
  fields: { slowms: 'number', sampleRate: 'number', filter: 'any' },
  run({ args }) {
    const level = toNumber(args.get('profile')) ?? -1;
    if (level > 0) {
      throw new MongoCommandError('NotImplemented', 'the database profiler is not supported');
    }
    return reply({ was: 0, slowms: 100, sampleRate: 1 });
  },
};
