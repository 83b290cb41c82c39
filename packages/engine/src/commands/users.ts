import { builtInRoles, type GrantedRole, isBuiltInRole } from '../auth/roles.ts';
import { createCredential } from '../auth/scram.ts';
import { newUserId, SCRAM_SHA_256, type StoredUser } from '../auth/user-store.ts';
import { type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { isTrue, toMap, toText } from './field-types.ts';
import { reply } from './reply.ts';

const USER_FIELDS = {
  pwd: 'string',
  customData: 'object',
  roles: 'array',
  digestPassword: 'bool',
  mechanisms: 'array',
  authenticationRestrictions: 'array',
} as const;

/** `createUser` (manual). */
export const createUser: CommandDefinition = {
  name: 'createUser',
  help: 'Makes a user',
  privilege: 'userAdmin',
  fields: USER_FIELDS,
  async run(context) {
    const { args, services, database } = context;
    const name = userName(context);
    const password = toText(args.get('pwd'));
    if (password === undefined || password === '') {
      throw new MongoCommandError(
        'BadValue',
        "Must provide a 'pwd' field for all user documents, except those with '$external' as the user's source db",
      );
    }
    checkMechanisms(args.get('mechanisms'));
    if (!Array.isArray(args.get('roles'))) {
      throw new MongoCommandError(
        'Location40414',
        "BSON field 'createUser.roles' is missing but a required field",
      );
    }
    const roles = parseRoles(args.get('roles'), database);
    if (services.users.store.find(database, name) !== undefined) {
      throw new MongoCommandError('UserAlreadyExists', `User "${name}@${database}" already exists`);
    }
    await services.users.store.save({
      name,
      database,
      userId: newUserId(),
      credential: await createCredential(password),
      roles,
      customData: toMap(args.get('customData')),
    });
    return reply();
  },
};

/** `updateUser` (manual). */
export const updateUser: CommandDefinition = {
  name: 'updateUser',
  help: "Changes a user's password, roles or data",
  privilege: 'userAdmin',
  fields: USER_FIELDS,
  async run(context) {
    const { args, services, database } = context;
    const user = requireUser(context);
    checkMechanisms(args.get('mechanisms'));
    const password = toText(args.get('pwd'));
    await services.users.store.save({
      ...user,
      credential: password === undefined ? user.credential : await createCredential(password),
      roles: args.has('roles') ? parseRoles(args.get('roles'), database) : user.roles,
      customData: toMap(args.get('customData')) ?? user.customData,
    });
    return reply();
  },
};

/** `dropUser` (manual). */
export const dropUser: CommandDefinition = {
  name: 'dropUser',
  help: 'Removes a user',
  privilege: 'userAdmin',
  fields: {},
  async run(context) {
    await context.services.users.store.remove(requireUser(context));
    return reply();
  },
};

/** `dropAllUsersFromDatabase` (manual). */
export const dropAllUsers: CommandDefinition = {
  name: 'dropAllUsersFromDatabase',
  help: 'Removes all users of a database',
  privilege: 'userAdmin',
  fields: {},
  async run({ services, database }) {
    const users = [...services.users.store.all()].filter((user) => user.database === database);
    for (const user of users) await services.users.store.remove(user);
    return reply({ n: users.length });
  },
};

/** `grantRolesToUser` (manual). */
export const grantRoles: CommandDefinition = {
  name: 'grantRolesToUser',
  help: 'Gives roles to a user',
  privilege: 'userAdmin',
  fields: { roles: 'array' },
  async run(context) {
    const user = requireUser(context);
    const added = parseRoles(context.args.get('roles'), context.database);
    const kept = user.roles.filter((role) => !added.some((other) => isSameRole(role, other)));
    await context.services.users.store.save({ ...user, roles: [...kept, ...added] });
    return reply();
  },
};

/** `revokeRolesFromUser` (manual). */
export const revokeRoles: CommandDefinition = {
  name: 'revokeRolesFromUser',
  help: 'Takes roles from a user',
  privilege: 'userAdmin',
  fields: { roles: 'array' },
  async run(context) {
    const user = requireUser(context);
    const taken = parseRoles(context.args.get('roles'), context.database);
    const roles = user.roles.filter((role) => !taken.some((other) => isSameRole(role, other)));
    await context.services.users.store.save({ ...user, roles });
    return reply();
  },
};

/** `usersInfo` (manual). */
export const usersInfo: CommandDefinition = {
  name: 'usersInfo',
  help: 'Shows users',
  privilege: 'userAdmin',
  fields: {
    showCredentials: 'bool',
    showCustomData: 'bool',
    showPrivileges: 'bool',
    showAuthenticationRestrictions: 'any',
    filter: 'object',
  },
  run({ args, services, database }) {
    const wanted = args.get('usersInfo') ?? null;
    const matches = (user: StoredUser): boolean => matchesUser(user, wanted, database);
    return reply({
      users: [...services.users.store.all()]
        .filter(matches)
        .map((user) => describeUser(user, isTrue(args.get('showCredentials')))),
    });
  },
};

/** `rolesInfo` (manual): the built-in roles. */
export const rolesInfo: CommandDefinition = {
  name: 'rolesInfo',
  help: 'Shows roles',
  privilege: 'userAdmin',
  fields: {
    showPrivileges: 'any',
    showBuiltinRoles: 'bool',
    showAuthenticationRestrictions: 'bool',
  },
  run({ args, database }) {
    const wanted = args.get('rolesInfo') ?? null;
    const all = builtInRoles(database).map((role) =>
      toDocument({ role, db: database, isBuiltin: true, roles: [], inheritedRoles: [] }),
    );
    if (wanted === 1) return reply({ roles: isTrue(args.get('showBuiltinRoles')) ? all : [] });
    const names = (Array.isArray(wanted) ? wanted : [wanted]).map((item) =>
      isDocument(item) ? item.get('role') : item,
    );
    return reply({ roles: all.filter((role) => names.includes(role.get('role') ?? null)) });
  },
};

function userName(context: CommandContext): string {
  const name = context.args.get(context.request.name);
  if (typeof name !== 'string' || name === '') {
    throw new MongoCommandError('BadValue', 'User document needs a name');
  }
  return name;
}

function requireUser(context: CommandContext): StoredUser {
  const name = userName(context);
  const user = context.services.users.store.find(context.database, name);
  if (user === undefined) {
    throw new MongoCommandError(
      'UserNotFound',
      `Could not find user "${name}" for db "${context.database}"`,
    );
  }
  return user;
}

function checkMechanisms(value: Value | undefined): void {
  if (!Array.isArray(value)) return;
  if (value.length === 0 || !value.includes(SCRAM_SHA_256)) {
    throw new MongoCommandError(
      'BadValue',
      `mechanisms must include '${SCRAM_SHA_256}', the only one supported`,
    );
  }
}

function parseRoles(value: Value | undefined, database: string): GrantedRole[] {
  if (!Array.isArray(value)) {
    throw new MongoCommandError(
      'TypeMismatch',
      "BSON field 'roles' is the wrong type, expected type 'array'",
    );
  }
  return value.map((item) => {
    const role = isDocument(item) ? String(item.get('role')) : String(item);
    const on = isDocument(item) ? String(item.get('db') ?? database) : database;
    if (!isBuiltInRole(role, on)) {
      throw new MongoCommandError('RoleNotFound', `Could not find role: ${role}@${on}`);
    }
    return { role, database: on };
  });
}

function isSameRole(a: GrantedRole, b: GrantedRole): boolean {
  return a.role === b.role && a.database === b.database;
}

function matchesUser(user: StoredUser, wanted: Value, database: string): boolean {
  if (wanted === 1) return user.database === database;
  if (typeof wanted === 'string') return user.name === wanted && user.database === database;
  if (Array.isArray(wanted)) return wanted.some((item) => matchesUser(user, item, database));
  if (isDocument(wanted)) {
    if (isTrue(wanted.get('forAllDBs'))) return true;
    return user.name === wanted.get('user') && user.database === wanted.get('db');
  }
  return false;
}

function describeUser(user: StoredUser, withCredentials: boolean): Document {
  const { credential } = user;
  return toDocument({
    _id: `${user.database}.${user.name}`,
    userId: user.userId,
    user: user.name,
    db: user.database,
    ...(withCredentials && {
      credentials: toDocument({
        [SCRAM_SHA_256]: toDocument({
          iterationCount: credential.iterations,
          salt: credential.salt.toString('base64'),
          storedKey: credential.storedKey.toString('base64'),
          serverKey: credential.serverKey.toString('base64'),
        }),
      }),
    }),
    customData: user.customData,
    roles: user.roles.map(({ role, database }) => toDocument({ role, db: database })),
    mechanisms: [SCRAM_SHA_256],
  });
}
