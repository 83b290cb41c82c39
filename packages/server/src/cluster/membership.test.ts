import { describe, expect, it } from 'vitest';
import type { NodeRecord, NodeStore, SeenNode } from '../model/node-record.ts';
import { createLog } from '../observe/log.ts';
import { Membership } from './membership.ts';

/** A registry in memory that counts how often it is read. */
class MemoryStore implements NodeStore {
  readonly records = new Map<string, SeenNode>();
  readings = 0;

  readClock = async () => ({ databaseMs: 1_000_000, ownMs: 1_000_000 });
  save = async (record: NodeRecord) => {
    this.records.set(record.id, { ...record, seenAtMs: 1_000_000 });
  };
  remove = async (id: string) => {
    this.records.delete(id);
  };
  list = async () => {
    this.readings += 1;
    return [...this.records.values()];
  };
}

function join(store: NodeStore): Membership {
  return new Membership(
    store,
    {
      name: 'n',
      version: '1',
      configurationHash: 'a',
      heartbeatMs: 3_600_000,
      totalPoolBudget: 4000,
      keyId: () => 'k',
      state: async () => 'ready',
      poolUse: () => ({ inUse: 0, size: 10 }),
      requestsInFlight: () => 0,
    },
    createLog({ level: 'ERROR', format: 'json', colors: false, fullStackTrace: false, sinks: [] }),
  );
}

describe('Membership', () => {
  it('is read by a small cluster at each heartbeat, by a large one less often, and in full by whoever asks', async () => {
    const store = new MemoryStore();
    const members = Array.from({ length: 200 }, () => join(store));
    for (const member of members) await member.beat();
    const [first] = members;
    if (first === undefined) throw new Error('there are members');
    // the first saw itself alone
    await first.beat();
    const before = store.readings;
    for (let i = 0; i < 11; i += 1) await first.beat();
    expect(store.readings - before).toBe(1);
    expect(first.view?.poolBudget).toBe(20);
    await members[1]?.close();
    expect((await first.look()).nodes).toHaveLength(199);
    for (const member of members) await member.close();
  });
});
