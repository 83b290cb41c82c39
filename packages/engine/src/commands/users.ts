import { describePrivileges } from '../auth/privileges.ts';
import { builtInRoles, type GrantedRole, isBuiltInRole } from '../auth/roles.ts';
import {
  createCredential,
  SCRAM_MECHANISMS,
  type ScramCredential,
  type ScramMechanism,
} from '../auth/scram.ts';
import {
  type Credentials,
  describeCredentials,
  newUserId,
  type StoredUser,
} from '../auth/user-store.ts';
import { type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { compileFilter } from '../query/filter.ts';
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
    const mechanisms = readMechanisms(args.get('mechanisms')) ?? SCRAM_MECHANISMS;
    checkDigested(args, mechanisms);
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
      credentials: await createCredentials(context, password, mechanisms),
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
    const mechanisms = readMechanisms(args.get('mechanisms')) ?? [...user.credentials.keys()];
    const password = toText(args.get('pwd'));
    if (password !== undefined) checkDigested(args, mechanisms);
    await services.users.store.save({
      ...user,
      credentials:
        password === undefined
          ? keepCredentials(user.credentials, mechanisms)
          : await createCredentials(context, password, mechanisms),
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
    const filter = compileFilter(toMap(args.get('filter')) ?? new Map());
    const matches = (user: StoredUser): boolean => matchesUser(user, wanted, database);
    return reply({
      users: [...services.users.store.all()]
        .filter(matches)
        .map((user) => ({ user, shown: describeUser(user, isTrue(args.get('showCredentials'))) }))
        .map(({ user, shown }) => {
          if (!isTrue(args.get('showPrivileges'))) return shown;
          const roles = shown.get('roles') ?? [];
          return new Map(shown)
            .set('inheritedRoles', roles)
            .set('inheritedPrivileges', describePrivileges(user.roles));
        })
        .filter((shown) => filter.matches(shown)),
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
    const all = builtInRoles(database).map((role) => {
      const privileges = isTrue(args.get('showPrivileges'))
        ? describePrivileges([{ role, database }])
        : undefined;
      return toDocument({
        role,
        db: database,
        isBuiltin: true,
        roles: [],
        inheritedRoles: [],
        privileges,
        inheritedPrivileges: privileges,
      });
    });
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

/** @throws BadValue for an empty list or a mechanism that is none */
function readMechanisms(value: Value | undefined): readonly ScramMechanism[] | undefined {
  if (!Array.isArray(value)) return undefined;
  if (value.length === 0) {
    throw new MongoCommandError('BadValue', 'mechanisms field must not be empty');
  }
  for (const mechanism of value) {
    if (!SCRAM_MECHANISMS.some((name) => name === mechanism)) {
      throw new MongoCommandError('BadValue', `Unknown auth mechanism '${String(mechanism)}'`);
    }
  }
  return SCRAM_MECHANISMS.filter((name) => value.includes(name));
}

/** @throws BadValue: SCRAM-SHA-256 needs the password itself */
function checkDigested(args: Document, mechanisms: readonly ScramMechanism[]): void {
  if (args.get('digestPassword') !== false || !mechanisms.includes('SCRAM-SHA-256')) return;
  throw new MongoCommandError('BadValue', 'Use of SCRAM-SHA-256 requires undigested passwords');
}

async function createCredentials(
  context: CommandContext,
  password: string,
  mechanisms: readonly ScramMechanism[],
): Promise<Credentials> {
  const credentials = new Map<ScramMechanism, ScramCredential>();
  for (const mechanism of mechanisms) {
    const credential = await createCredential(mechanism, {
      userName: userName(context),
      password,
      isDigested: context.args.get('digestPassword') === false,
    });
    credentials.set(mechanism, credential);
  }
  return credentials;
}

/** @throws BadValue: without the password no mechanism can be added */
function keepCredentials(
  credentials: Credentials,
  mechanisms: readonly ScramMechanism[],
): Credentials {
  const kept = new Map([...credentials].filter(([mechanism]) => mechanisms.includes(mechanism)));
  if (kept.size === mechanisms.length) return kept;
  throw new MongoCommandError(
    'BadValue',
    'mechanisms field must be a subset of previously set mechanisms',
  );
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
  return toDocument({
    _id: `${user.database}.${user.name}`,
    userId: user.userId,
    user: user.name,
    db: user.database,
    ...(withCredentials && { credentials: describeCredentials(user.credentials) }),
    customData: user.customData,
    roles: user.roles.map(({ role, database }) => toDocument({ role, db: database })),
    mechanisms: [...user.credentials.keys()],
  });
}
