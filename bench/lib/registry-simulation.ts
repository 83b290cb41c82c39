/** Many nodes in one process: the real registry and the real heartbeats, without the servers behind them. */
import type { MongoClient } from 'mongodb';
import { Membership } from '../../packages/server/src/cluster/membership.ts';
import type { MongoAccess } from '../../packages/server/src/mongo/mongo-access.ts';
import { MongoNodeStore } from '../../packages/server/src/mongo/node-registry.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} } as never;

class CountingStore extends MongoNodeStore {
  private readonly noteRead: (count: number) => void;

  constructor(access: MongoAccess, noteRead: (count: number) => void) {
    super(access);
    this.noteRead = noteRead;
  }

  override async list() {
    const nodes = await super.list();
    this.noteRead(nodes.length);
    return nodes;
  }
}

/**
 * Registers nodes and lets each of them beat.
 *
 * @returns how many heartbeats there were, how many entries they read, and how many nodes each one saw at the end
 */
export async function simulateRegistry(
  client: MongoClient,
  options: { readonly nodes: number; readonly beats: number },
): Promise<{ readonly beats: number; readonly documentsRead: number; readonly seen: string }> {
  let documentsRead = 0;
  const store = new CountingStore({ client } as MongoAccess, (count) => {
    documentsRead += count;
  });
  const members = Array.from({ length: options.nodes }, (_, n) => {
    const settings = {
      name: `node${n}`,
      version: '1.0.0',
      configurationHash: 'a',
      // an hour: beats come when this says so
      heartbeatMs: 3_600_000,
      totalPoolBudget: 4000,
      keyId: () => 'first',
      state: async () => 'ready' as const,
      poolUse: () => ({ inUse: 1, size: 20 }),
      requestsInFlight: () => 0,
    };
    return new Membership(store, settings, SILENT);
  });
  for (let beat = 0; beat < options.beats; beat += 1) {
    await Promise.all(members.map((member) => member.beat()));
  }
  const read = documentsRead;
  // as GET /cluster does
  await Promise.all(members.map((member) => member.look()));
  const counts = members.map(({ view }) => view?.nodes.length ?? 0);
  const shares = new Set(members.map(({ view }) => view?.poolBudget));
  await Promise.all(members.map((member) => member.close()));
  return {
    beats: options.nodes * options.beats,
    documentsRead: read,
    seen: `${Math.min(...counts)} nodes, a share of ${[...shares].join('/')} connections`,
  };
}
