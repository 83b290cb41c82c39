import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import { toNumber } from './field-types.ts';
import { reply } from './reply.ts';

/** `killOp` (manual). */
export const killOp: CommandDefinition = {
  name: 'killOp',
  help: 'Interrupts a running operation',
  adminOnly: true,
  privilege: 'clusterAdmin',
  // MongoDB looks at no other field, and graphical clients send some
  fields: undefined,
  run({ args, services }) {
    const id = toNumber(args.get('op'));
    if (id === undefined) throw new MongoCommandError('NoSuchKey', 'Missing expected field "op"');
    services.operations.get(id)?.interrupt();
    return reply({ info: 'attempting to kill op' });
  },
};
