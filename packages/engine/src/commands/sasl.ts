import type { CommandDefinition } from './command.ts';

/** `saslStart` (driver specification "Authentication"). */
export const saslStart: CommandDefinition = {
  name: 'saslStart',
  help: 'Begins authentication',
  anonymous: true,
  privilege: 'none',
  fields: undefined,
  run: ({ services, connection, database, args }) =>
    services.users.start(connection, database, args),
};

/** `saslContinue`. */
export const saslContinue: CommandDefinition = {
  name: 'saslContinue',
  help: 'Goes on with authentication',
  anonymous: true,
  privilege: 'none',
  fields: undefined,
  run: ({ services, connection, args }) => services.users.continue(connection, args),
};

/** `logout` (manual). */
export const logout: CommandDefinition = {
  name: 'logout',
  help: 'Ends authentication of this connection',
  anonymous: true,
  privilege: 'none',
  fields: {},
  run({ connection }) {
    connection.user = undefined;
    return new Map();
  },
};
