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
