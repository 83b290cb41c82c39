import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `whatsmyuri`: the client's own address as the server sees it; shells ask for it. */
export const whatsMyUri: CommandDefinition = {
  name: 'whatsmyuri',
  help: "Shows the client's address",
  anonymous: true,
  privilege: 'none',
  fields: {},
  run: ({ connection }) => reply({ you: connection.remoteAddress }),
};
