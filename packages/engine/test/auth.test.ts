import { createHash } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { useEngine } from './support/engine.ts';

const test = useEngine({ auth: true });

function uriFor(credentials: string, source = 'admin'): string {
  return `${test().engine.uri.replace('mongodb://', `mongodb://${credentials}@`)}&authSource=${source}`;
}

async function runAs(credentials: string, source: string, database: string, command: object) {
  const client = new MongoClient(uriFor(credentials, source));
  try {
    return await client.db(database).command(command);
  } catch (error) {
    return error;
  } finally {
    await client.close();
  }
}

describe('authentication', () => {
  it('lets the first user be made from the machine itself, and then asks for it', async () => {
    const { client } = test();
    await client.db('admin').command({ createUser: 'root', pwd: 'sécret', roles: ['root'] });
    await expect(client.db('app').command({ dbStats: 1 })).rejects.toMatchObject({ code: 13 });
    const reply = await runAs('root:s%C3%A9cret', 'admin', 'admin', { connectionStatus: 1 });
    expect(reply).toMatchObject({ authInfo: { authenticatedUsers: [{ user: 'root' }] } });
  });

  it('gives a user what its roles give', async () => {
    const create = { createUser: 'reader', pwd: 'pw', roles: ['read'] };
    await runAs('root:s%C3%A9cret', 'admin', 'app', create);
    expect(await runAs('reader:pw', 'app', 'app', { find: 'c' })).toMatchObject({ ok: 1 });
    expect(await runAs('reader:pw', 'app', 'other', { find: 'c' })).toMatchObject({ code: 13 });
    const insert = { insert: 'c', documents: [{}] };
    expect(await runAs('reader:pw', 'app', 'app', insert)).toMatchObject({ code: 13 });
  });

  it.each([
    ['a wrong password', 'root:nope'],
    ['an unknown user', 'nobody:nope'],
  ])('refuses %s', async (_, credentials) => {
    expect(await runAs(credentials, 'admin', 'admin', { ping: 1 })).toMatchObject({ code: 18 });
  });
});

describe('mechanisms', () => {
  const BOTH = ['SCRAM-SHA-1', 'SCRAM-SHA-256'];
  const root = (command: object) => runAs('root:s%C3%A9cret', 'admin', 'app', command);
  const statusAs = async (user: string, mechanism?: string) => {
    const option = mechanism === undefined ? '' : `&authMechanism=${mechanism}`;
    return await runAs(`${user}:p%C3%A4ss`, `app${option}`, 'app', { connectionStatus: 1 });
  };

  it.each([
    ['of none named', undefined, BOTH],
    ['of SCRAM-SHA-1', ['SCRAM-SHA-1'], ['SCRAM-SHA-1']],
    ['of SCRAM-SHA-256', ['SCRAM-SHA-256'], ['SCRAM-SHA-256']],
    ['of both', ['SCRAM-SHA-256', 'SCRAM-SHA-1'], BOTH],
  ])('let a user %s in by these and no other', async (title, mechanisms, expected) => {
    const user = `user ${title}`;
    const create = { createUser: user, pwd: 'päss', roles: ['readWrite'] };
    expect(await root(mechanisms === undefined ? create : { ...create, mechanisms })).toMatchObject(
      { ok: 1 },
    );
    expect(await root({ usersInfo: user })).toMatchObject({ users: [{ mechanisms: expected }] });
    const hello = { hello: 1, saslSupportedMechs: `app.${user}` };
    expect(await root(hello)).toMatchObject({ saslSupportedMechs: expected });
    const name = encodeURIComponent(user);
    expect(await statusAs(name)).toMatchObject({ authInfo: { authenticatedUsers: [{ user }] } });
    for (const mechanism of BOTH) {
      const answer = await statusAs(name, mechanism);
      expect(answer).toMatchObject(
        expected.includes(mechanism)
          ? { authInfo: { authenticatedUsers: [{ user }] } }
          : { code: 18 },
      );
    }
  });

  it.each([
    [{ mechanisms: ['SCRAM-MD5'] }, "Unknown auth mechanism 'SCRAM-MD5'"],
    [{ mechanisms: [] }, 'mechanisms field must not be empty'],
    [{ digestPassword: false }, 'Use of SCRAM-SHA-256 requires undigested passwords'],
  ])('refuses a user with %o', async (fields, message) => {
    const create = { createUser: 'refused', pwd: 'pw', roles: [], ...fields };
    expect(await root(create)).toMatchObject({ code: 2, message });
  });

  it('takes a password that the client has digested', async () => {
    const pwd = createHash('md5').update('digested:mongo:päss').digest('hex');
    const fields = { digestPassword: false, mechanisms: ['SCRAM-SHA-1'] };
    await root({ createUser: 'digested', pwd, roles: [], ...fields });
    expect(await statusAs('digested')).toMatchObject({ ok: 1 });
  });

  it('can be taken from a user, but not given without the password', async () => {
    await root({ createUser: 'changing', pwd: 'päss', roles: [] });
    await root({ updateUser: 'changing', mechanisms: ['SCRAM-SHA-1'] });
    expect(await statusAs('changing', 'SCRAM-SHA-256')).toMatchObject({ code: 18 });
    expect(await statusAs('changing')).toMatchObject({ ok: 1 });
    const more = { updateUser: 'changing', mechanisms: ['SCRAM-SHA-256'] };
    expect(await root(more)).toMatchObject({ code: 2 });
    expect(await root({ ...more, pwd: 'päss' })).toMatchObject({ ok: 1 });
    expect(await statusAs('changing', 'SCRAM-SHA-256')).toMatchObject({ ok: 1 });
  });
});
