import { type Document, toDocument } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';

const GENERIC =
  /^(\$|lsid$|comment$|setParameter$|maxTimeMS$|apiVersion$|apiStrict$|apiDeprecationErrors$|writeConcern$)/;

/** `setParameter` (manual). */
export const setParameter: CommandDefinition = {
  name: 'setParameter',
  help: 'Changes a server parameter',
  adminOnly: true,
  privilege: 'clusterAdmin',
  fields: undefined,
  run({ args, services }): Document {
    const before = toDocument({});
    for (const [name, value] of args) {
      if (!GENERIC.test(name)) before.set('was', services.parameters.set(name, value));
    }
    if (before.size === 0)
      throw new MongoCommandError(
        'InvalidOptions',
        'no option found to set, use help:true to see options ',
      );
    return before;
  },
};
