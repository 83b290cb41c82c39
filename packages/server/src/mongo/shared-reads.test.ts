import { describe, expect, it } from 'vitest';
import type { MongoAccess } from './mongo-access.ts';
import { type ReadKey, shareRead } from './shared-reads.ts';

const mongo = {} as MongoAccess;
const namespace = { database: 'd', collection: 'c' };

/** Counts how often it really reads. */
function createReader(fails = false) {
  const sent: string[] = [];
  const read = (command: string, key: Partial<ReadKey> = {}, options = {}) =>
    shareRead(mongo, { command, namespace, ...key }, options, async () => {
      sent.push(command);
      if (fails) throw new Error('lost');
      return sent.length;
    });
  return { sent, read };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('shareRead', () => {
  it('sends equal reads of one turn once, at its end', async () => {
    const { sent, read } = createReader();
    const results = [read('count'), read('count')];
    expect(sent).toEqual([]);
    expect(await Promise.all(results)).toEqual([1, 1]);
  });

  it('never joins a read that was sent', async () => {
    const { sent, read } = createReader();
    const first = read('count');
    await nextTurn();
    const second = read('count');
    await Promise.all([first, second]);
    expect(sent).toHaveLength(2);
  });

  it('keeps apart what differs in anything', async () => {
    const { sent, read } = createReader();
    await Promise.all([
      read('count'),
      read('aggregate'),
      read('count', { namespace: { ...namespace, collection: 'other' } }),
      read('count', { details: { filter: new Map([['a', 1]]) } }),
      read('count', { details: { filter: new Map([['a', 2]]) } }),
      read('count', {}, { readPreference: 'nearest' }),
      read('count', {}, { maxTimeMS: 5 }),
    ]);
    expect(sent).toHaveLength(7);
  });

  it('leaves reads of sessions and those that track time alone', async () => {
    const { sent, read } = createReader();
    const session = { session: { sessionId: 's' } };
    await Promise.all([read('count', {}, session), read('count', {}, session)]);
    await Promise.all([read('count', {}, { causal: {} }), read('count', {}, { causal: {} })]);
    expect(sent).toHaveLength(4);
  });

  it('fails for all', async () => {
    const { read } = createReader(true);
    const outcomes = await Promise.allSettled([read('count'), read('count')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
