import { toDocument } from '../bson/value.ts';
import type { CommandDefinition } from './command.ts';
import { isTrue } from './field-types.ts';
import { reply } from './reply.ts';

/** `connectionStatus` (manual): who is authenticated on this connection. */
export const connectionStatus: CommandDefinition = {
  name: 'connectionStatus',
  help: 'Shows who is authenticated on this connection',
  anonymous: true,
  stable: true,
  privilege: 'none',
  fields: { showPrivileges: 'bool' },
  run({ args, connection, services }) {
    const { user } = connection;
    const roles = user === undefined ? [] : services.users.rolesOf(user);
    const privileges = user === undefined ? [] : services.users.privilegesOf(user);
    return reply({
      authInfo: toDocument({
        authenticatedUsers:
          user === undefined ? [] : [toDocument({ user: user.name, db: user.database })],
        authenticatedUserRoles: roles,
        authenticatedUserPrivileges: isTrue(args.get('showPrivileges')) ? privileges : undefined,
      }),
    });
  },
};
