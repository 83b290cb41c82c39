import { ask, login } from '../../tests/support/cluster.ts';
import { type Extent, percentile, type Row, withCluster } from './measure.ts';

/** From the reply of the node that made a change to its effect on the two others. */
export async function benchCoherence({ isShort }: Extent): Promise<Row[]> {
  const changes = isShort ? 100 : 1000;
  return withCluster({}, async (cluster) => {
    const admin = `Bearer ${(await login(cluster.url(0))).token}`;
    const change = (path: string, method: string, body?: unknown) =>
      ask(cluster.url(0), path, { method, body, authorization: admin });
    await change('/shop', 'PUT');
    await change('/shop/things', 'PUT');
    await change('/shop/_schemas', 'PUT');
    await change('/restheart/users?wm=upsert', 'POST', {
      _id: 'ann',
      password: 'secret-1',
      roles: ['r0'],
    });
    const delays = new Map<string, number[]>();
    const measure = async (
      kind: string,
      isInForce: (url: string) => Promise<boolean>,
    ): Promise<void> => {
      const startedAtMs = performance.now();
      await Promise.all(
        cluster.urls.slice(1).map(async (url) => {
          while (!(await isInForce(url))) {
            if (performance.now() - startedAtMs > 60_000) throw new Error(`${kind} takes too long`);
          }
          const list = delays.get(kind) ?? [];
          list.push(performance.now() - startedAtMs);
          delays.set(kind, list);
        }),
      );
    };
    const basic = `Basic ${Buffer.from('ann:secret-1').toString('base64')}`;
    for (let i = 0; i < changes; i += 1) {
      const kind = ['account', 'permission', 'properties', 'revocation'][i % 4];
      if (kind === 'account') {
        await change('/restheart/users/ann', 'PATCH', { roles: [`r${i}`] });
        await measure('account', async (url) =>
          (await ask(url, '/roles/ann', { authorization: basic })).text.includes(`"r${i}"`),
        );
      } else if (kind === 'permission') {
        const isOpen = i % 8 === 1;
        await (isOpen
          ? change('/restheart/acl?wm=upsert', 'POST', {
              _id: 'open',
              roles: ['$unauthenticated'],
              predicate: 'path-prefix[/shop]',
              priority: 1,
            })
          : change('/restheart/acl/open', 'DELETE'));
        await measure('permission', async (url) => (await fetch(`${url}/shop`)).ok === isOpen);
      } else if (kind === 'properties') {
        await change('/shop/things', 'PATCH', { n: i });
        await measure('properties', async (url) =>
          (await ask(url, '/shop/things/_meta', { authorization: admin })).text.includes(`${i}`),
        );
      } else {
        const { token } = await login(cluster.url(0));
        const authorization = `Bearer ${token === admin.slice(7) ? await renew(cluster.url(0)) : token}`;
        await ask(cluster.url(0), '/token', { method: 'DELETE', authorization });
        await measure(
          'revocation',
          async (url) => (await ask(url, '/', { authorization })).status === 401,
        );
      }
    }
    const all = [...delays.values()].flat();
    return [...delays, ['all kinds', all] as const].map(([kind, values]) => {
      const p99 = percentile(values, 0.99);
      return {
        name: `a change on one node is in force on the others, p99: ${kind}`,
        value: `${p99.toFixed(0)} ms`,
        target: '<= 1000 ms',
        met: p99 <= 1000,
        note: `median ${percentile(values, 0.5).toFixed(0)} ms, longest ${Math.max(...values).toFixed(0)} ms, ${values.length} observations`,
      };
    });
  });
}

async function renew(url: string): Promise<string> {
  const reply = await ask(url, '/token?renew', { method: 'POST' });
  return (JSON.parse(reply.text) as { access_token: string }).access_token;
}
