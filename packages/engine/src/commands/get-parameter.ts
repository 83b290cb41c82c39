import { type Document, toDocument } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import { isTrue } from './field-types.ts';

const GENERIC =
  /^(\$|lsid$|comment$|getParameter$|allParameters$|maxTimeMS$|apiVersion$|apiStrict$|apiDeprecationErrors$|readConcern$|writeConcern$)/;

/** `getParameter` (manual). */
export const getParameter: CommandDefinition = {
  name: 'getParameter',
  help: 'Shows server parameters',
  adminOnly: true,
  privilege: 'clusterMonitor',
  fields: undefined,
  run({ args, services }): Document {
    const all = args.get('getParameter');
    const everything = all === '*' || (all instanceof Map && isTrue(all.get('allParameters')));
    if (everything) return services.parameters.all();
    const found = toDocument({});
    for (const name of args.keys()) {
      if (GENERIC.test(name)) continue;
      const value = services.parameters.get(name);
      if (value !== undefined) found.set(name, value);
    }
    if (found.size === 0) throw new MongoCommandError('InvalidOptions', 'no option found to get');
    return found;
  },
};
