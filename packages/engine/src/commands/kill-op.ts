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
  fields: { op: 'number' },
  run({ args, services }) {
    const id = toNumber(args.get('op'));
    if (id === undefined) throw new MongoCommandError('NoSuchKey', 'Did not provide "op" field');
    services.operations.get(id)?.interrupt();
    return reply({ info: 'attempting to kill op' });
  },
};
