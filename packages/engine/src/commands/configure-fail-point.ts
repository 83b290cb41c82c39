import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import { toMap } from './field-types.ts';
import { reply } from './reply.ts';

/** `configureFailPoint`: plans failures; known only to a server started for tests. */
export const configureFailPoint: CommandDefinition = {
  name: 'configureFailPoint',
  help: 'Plans a failure (test servers only)',
  adminOnly: true,
  privilege: 'clusterAdmin',
  fields: { mode: 'any', data: 'object' },
  run({ args, services }) {
    if (services.failPoints === undefined) {
      throw new MongoCommandError('CommandNotFound', "no such command: 'configureFailPoint'");
    }
    const name = args.get('configureFailPoint');
    const count = services.failPoints.configure(
      String(name),
      args.get('mode'),
      toMap(args.get('data')) ?? new Map(),
    );
    return reply({ count });
  },
};
