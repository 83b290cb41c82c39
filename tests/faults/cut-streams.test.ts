/** With the change stream cut nodes go by their times to live, and revocations fail closed where that is asked for (cluster.md E2, E6). */
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, login, TestCluster, waitFor } from '../support/cluster.ts';

describe('nodes whose change streams are refused', () => {
  let cluster: TestCluster;
  let client: MongoClient;
  let admin: string;

  beforeAll(async () => {
    cluster = await TestCluster.open({
      hasReplicaSet: true,
      nodes: 2,
      rho: [
        '/mongoAclAuthorizer/cache-ttl->1000',
        '/mongo/local-cache-ttl->1000',
        '/tokenRevocation/fail-closed->true',
      ].join(';'),
    });
    admin = `Bearer ${(await login(cluster.url(0))).token}`;
    for (const path of ['/shop', '/shop/things'])
      await ask(cluster.url(0), path, { method: 'PUT', authorization: admin });
    client = await new MongoClient(cluster.replicaSet?.uri ?? '').connect();
    // streams are opened by aggregate and go on by getMore; nothing else that is asked for here needs either
    await client.db('admin').command({
      configureFailPoint: 'failCommand',
      mode: 'alwaysOn',
      data: { failCommands: ['aggregate', 'getMore'], errorCode: 13 },
    });
    await waitFor('the cut to be noticed', async () =>
      cluster.nodes.every((node) => node?.log().includes('Changes are not heard of') === true),
    );
  });
  afterAll(async () => {
    await client?.close();
    await cluster?.close();
  });

  it('see changes of rules, properties and accounts within their times to live', async () => {
    const url = cluster.url(1);
    expect((await fetch(`${url}/shop`)).status).toBe(401);
    await ask(cluster.url(0), '/restheart/acl?wm=upsert', {
      method: 'POST',
      authorization: admin,
      body: {
        _id: 'open',
        roles: ['$unauthenticated'],
        predicate: 'path-prefix[/shop]',
        priority: 1,
      },
    });
    await waitFor('the rule', async () => (await fetch(`${url}/shop`)).status === 200);
    await ask(cluster.url(0), '/shop/things', {
      method: 'PATCH',
      authorization: admin,
      body: { note: 'changed' },
    });
    await waitFor('the property', async () =>
      (await ask(url, '/shop/things/_meta', { authorization: admin })).text.includes('changed'),
    );
  });

  it('refuse tokens that were taken back, and all tokens once nothing can be read', async () => {
    const { token } = await login(cluster.url(1));
    const other = await login(cluster.url(1));
    expect(other.token).toBe(token);
    const renewed = await ask(cluster.url(1), '/token?renew', { method: 'POST' });
    const { access_token: kept } = JSON.parse(renewed.text) as { access_token: string };
    const authorization = `Bearer ${token}`;
    await ask(cluster.url(0), '/token', { method: 'DELETE', authorization });
    await waitFor('the refusal', async () => {
      const { status } = await ask(cluster.url(1), '/restheart', { authorization });
      return status === 401;
    });
    const good = { authorization: `Bearer ${kept}` };
    expect((await ask(cluster.url(1), '/restheart', good)).status).toBe(200);
    for (const member of [0, 1, 2]) await cluster.replicaSet?.order('kill', member);
    await waitFor('the token to be doubted', async () => {
      const { status, headers } = await ask(cluster.url(1), '/ping-not-bound', good);
      const api = await ask(cluster.url(1), '/restheart', good);
      return status !== 200 && api.status === 503 && headers.get('www-authenticate') === null;
    });
  });
});
