import { type Document, toDocument } from '../bson/value.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `listCommands` (manual), made from the registry itself. */
export function createListCommands(commands: () => Iterable<CommandDefinition>): CommandDefinition {
  return {
    name: 'listCommands',
    help: 'Lists the commands',
    anonymous: true,
    privilege: 'none',
    fields: {},
    run() {
      const list: Document = new Map();
      for (const command of commands()) {
        list.set(
          command.name,
          toDocument({
            help: command.help,
            requiresAuth: command.anonymous !== true,
            secondaryOk: true,
            adminOnly: command.adminOnly === true,
            apiVersions: command.stable ? ['1'] : [],
          }),
        );
      }
      return reply({ commands: list });
    },
  };
}
