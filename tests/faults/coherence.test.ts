/**
 * What one node is told is in force on the others (cluster.md E6, part F). All times to live are an hour here, so that
 * nothing but the change stream can have told them; `npm run bench:cluster` measures how long it takes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, ask, BASIC, login, TestCluster, waitFor } from '../support/cluster.ts';

const HOUR_MS = 3_600_000;

describe('a change made on one node', () => {
  let cluster: TestCluster;
  let admin: string;
  const wrong: string[] = [];

  beforeAll(async () => {
    cluster = await TestCluster.open({
      rho: [
        `/mongoRealmAuthenticator/cache-ttl->${HOUR_MS}`,
        `/mongoAclAuthorizer/cache-ttl->${HOUR_MS}`,
        `/mongo/local-cache-ttl->${HOUR_MS}`,
        `/mongo/schema-cache-ttl->${HOUR_MS}`,
      ].join(';'),
    });
    admin = `Bearer ${(await login(cluster.url(0))).token}`;
    await change('/shop', 'PUT');
    await change('/shop/things', 'PUT');
  });
  afterAll(() => cluster?.close());

  const change = async (
    path: string,
    method: string,
    body?: unknown,
    authorization = admin,
  ): Promise<number> => {
    const { status, text } = await ask(cluster.url(0), path, { method, body, authorization });
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${text}`);
    return status;
  };

  /** Asks the two others until they answer so; any other answer than the one before is an error. */
  const becomes = async (
    what: string,
    path: string,
    options: Parameters<typeof ask>[2],
    before: number | undefined,
    after: number,
  ): Promise<void> => {
    for (const url of cluster.urls.slice(1)) {
      await waitFor(`${what} on ${url}`, async () => {
        const { status, text } = await ask(url, path, { authorization: admin, ...options });
        if (status !== before && status !== after) wrong.push(`${what}: ${status} ${text}`);
        return status === after;
      });
    }
    expect(wrong).toEqual([]);
  };
  const basic = (name: string, password: string): string =>
    `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

  it('is in force for accounts and permissions', async () => {
    const authorization = basic('ann', 'secret-1');
    await becomes('no account', '/shop/things', { authorization }, undefined, 401);
    await change('/restheart/users?wm=upsert', 'POST', {
      _id: 'ann',
      password: 'secret-1',
      roles: ['buyer'],
    });
    await becomes('the account', '/shop/things', { authorization }, 401, 403);
    await change('/restheart/acl?wm=upsert', 'POST', {
      _id: 'buyers',
      roles: ['buyer'],
      predicate: 'path-prefix[/shop]',
      priority: 1,
    });
    await becomes('the permission', '/shop/things', { authorization }, 403, 200);
    await change('/restheart/users/ann', 'PATCH', { roles: ['other'] });
    await becomes('the other role', '/shop/things', { authorization }, 200, 403);
    await change('/restheart/users/ann', 'PATCH', { password: 'secret-2' });
    await becomes('the old password', '/shop/things', { authorization }, 403, 401);
    await change('/restheart/users/ann', 'PATCH', { roles: ['buyer'] });
    const changed = basic('ann', 'secret-2');
    await becomes('the new password', '/shop/things', { authorization: changed }, 403, 200);
    await change('/restheart/acl/buyers', 'DELETE');
    await becomes(
      'the permission that is gone',
      '/shop/things',
      { authorization: changed },
      200,
      403,
    );
    await change('/restheart/users/ann', 'DELETE');
    await becomes('the account that is gone', '/shop/things', { authorization: changed }, 403, 401);
  });

  it('is in force for databases and collections that were asked for before, and nothing fails meanwhile', async () => {
    await becomes('no database', '/fresh', {}, undefined, 404);
    await becomes('no collection', '/shop/fresh', {}, undefined, 404);
    await change('/fresh', 'PUT');
    await becomes('the root', '/', {}, undefined, 200);
    await becomes('the database', '/fresh', {}, 404, 200);
    await change('/shop/fresh', 'PUT');
    await becomes('the collection', '/shop/fresh', {}, 404, 200);
    const { headers } = await ask(cluster.url(0), '/shop/fresh/_meta', { authorization: admin });
    await ask(cluster.url(0), '/shop/fresh', {
      method: 'DELETE',
      authorization: admin,
      headers: { 'If-Match': headers.get('etag') ?? '' },
    });
    await becomes('the collection that is gone', '/shop/fresh', {}, 200, 404);
  });

  it('is in force for aggregations and for stored schemas', async () => {
    const aggregation = (n: number) => ({
      aggrs: [
        { uri: 'one', type: 'pipeline', stages: [{ $limit: 1 }, { $project: { _id: 0, n } }] },
      ],
    });
    await becomes('no aggregation', '/shop/things/_aggrs/one', {}, undefined, 404);
    await change('/shop/things', 'PATCH', aggregation(1));
    await becomes('the aggregation', '/shop/things/_aggrs/one', {}, 404, 200);

    await change('/shop/_schemas', 'PUT');
    const schema = (type: string) => ({
      _id: 'thing',
      $schema: 'http://json-schema.org/draft-04/schema#',
      type: 'object',
      properties: { n: { type } },
    });
    await change('/shop/_schemas?wm=upsert', 'POST', schema('string'));
    await change('/shop/checked', 'PUT', { jsonSchema: { schemaId: 'thing' } });
    const post = { method: 'POST', body: { n: 1 } };
    await becomes('the schema', '/shop/checked', post, undefined, 400);
    await change('/shop/_schemas/thing?wm=upsert', 'PUT', schema('number'));
    await becomes('the other schema', '/shop/checked', post, 400, 201);
  });

  it('is in force for a whole account: logout everywhere and a token taken back', async () => {
    const { token } = await login(cluster.url(1));
    const authorization = `Bearer ${token}`;
    await becomes('the token', '/shop', { authorization }, undefined, 200);
    await ask(cluster.url(0), '/token', { method: 'DELETE', authorization });
    await becomes('the token that was taken back', '/shop', { authorization }, 200, 401);
    expect(ADMIN.name).toBe('admin');
    expect((await ask(cluster.url(1), '/shop', { authorization: BASIC })).status).toBe(200);
  });
});

describe('the limit of failed logins', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.open({
      rho: '/bruteForceAttackGuard/enabled->true;/bruteForceAttackGuard/max-failed-attempts->5',
    });
  });
  afterAll(() => cluster?.close());

  it('counts every door of every node together', async () => {
    const { token } = await login(cluster.url(0));
    const bad = `Basic ${Buffer.from('admin:wrong').toString('base64')}`;
    const doors: [path: string, method: string][] = [
      ['/restheart', 'GET'],
      ['/token', 'POST'],
      ['/no-such-database/x', 'GET'],
      ['/token', 'GET'],
      ['/restheart/users', 'POST'],
    ];
    for (const [i, [path, method]] of doors.entries()) {
      const body = path.includes('users') ? { body: { a: 1 } } : {};
      const reply = await ask(cluster.url(i % 3), path, { method, authorization: bad, ...body });
      expect(reply.status).toBe(401);
    }
    for (const url of cluster.urls) {
      const reply = await ask(url, '/', { authorization: `Bearer ${token}` });
      expect(reply.status).toBe(429);
      expect(reply.headers.get('retry-after')).not.toBeNull();
    }
  });
});
