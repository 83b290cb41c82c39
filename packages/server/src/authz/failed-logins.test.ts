import { describe, expect, it } from 'vitest';
import { FailedLogins, type SharedFailures } from './failed-logins.ts';

/** Nodes that write to one database, and hear of each other's failures only when `hear` is called. */
function cluster(size: number) {
  const clock = { nowMs: 100_000 };
  const database = { isAway: false, rows: [] as { node: number; source: string; at: number }[] };
  const heard = new Map<number, typeof database.rows>();
  const nodes = Array.from({ length: size }, (_, node) => {
    const times = (rows: typeof database.rows, source: string) =>
      rows.filter((row) => row.source === source && row.node !== node).map(({ at }) => at);
    const shared: SharedFailures = {
      add: async (source, at) => {
        if (!database.isAway) database.rows.push({ node, source, at });
      },
      timesOf: (source) => times(heard.get(node) ?? [], source),
      readTimesOf: async (source) => (database.isAway ? undefined : times(database.rows, source)),
    };
    return new FailedLogins({ maxAttempts: 5, shared, now: () => clock.nowMs });
  });
  const hear = (count = database.rows.length): void => {
    for (const node of nodes.keys()) heard.set(node, database.rows.slice(0, count));
  };
  return { nodes, clock, database, hear };
}

async function spread(nodes: readonly FailedLogins[], count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await nodes[i % nodes.length]?.add('1.2.3.4');
}

describe('FailedLogins', () => {
  it('blocks on every node at the limit of all nodes together, before each has heard of all', async () => {
    const { nodes, hear } = cluster(3);
    await spread(nodes, 4);
    // the first failure alone has got about
    hear(1);
    for (const node of nodes) expect(await node.isBlocked('1.2.3.4')).toBe(false);
    await nodes[2]?.add('1.2.3.4');
    for (const node of nodes) expect(await node.isBlocked('1.2.3.4')).toBe(true);
    expect(await nodes[0]?.isBlocked('5.6.7.8')).toBe(false);
  });

  it('counts nothing while it blocks, and ends ten seconds after the last counted failure', async () => {
    const { nodes, clock, database, hear } = cluster(2);
    await spread(nodes, 5);
    hear();
    await spread(nodes, 7);
    expect(database.rows).toHaveLength(5);
    clock.nowMs += 10_001;
    for (const node of nodes) expect(await node.isBlocked('1.2.3.4')).toBe(false);
  });

  it('goes by what it has heard while the database is away', async () => {
    const { nodes, database, hear } = cluster(2);
    await spread(nodes, 4);
    hear();
    database.isAway = true;
    expect(await nodes[0]?.isBlocked('1.2.3.4')).toBe(false);
    await nodes[0]?.add('1.2.3.4');
    expect(await nodes[0]?.isBlocked('1.2.3.4')).toBe(true);
    expect(await nodes[1]?.isBlocked('1.2.3.4')).toBe(false);
  });

  it('asks nobody about a source that never failed', () => {
    const { nodes } = cluster(1);
    expect(nodes[0]?.isBlocked('1.2.3.4')).toBe(false);
  });
});
