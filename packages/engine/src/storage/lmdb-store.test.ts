import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { type LmdbStore, openLmdbStore } from './lmdb-store.ts';
import type { Entry } from './store.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString('latin1');
const keys = (entries: Iterable<Entry>): string =>
  [...entries].map(({ key }) => text(key)).join(' ');
const durable = { durable: true };

describe('openLmdbStore', () => {
  let folder: string;
  let store: LmdbStore;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'quorate-store-'));
    store = await openLmdbStore(folder);
  });

  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const put = (key: string, value: string): Promise<void> =>
    store.write((batch) => batch.put('records', bytes(key), bytes(value)), durable);

  it('reads what was written, also after it was closed and opened again', async () => {
    await put('a', 'one');
    await put('empty', '');
    expect(text(store.latest.get('records', bytes('a')))).toBe('one');
    await store.close();
    store = await openLmdbStore(folder);
    expect(text(store.latest.get('records', bytes('a')))).toBe('one');
    expect(text(store.latest.get('records', bytes('empty')))).toBe('');
    expect(store.latest.get('records', bytes('b'))).toBeUndefined();
  });

  it('keeps values of many pages', async () => {
    const large = Buffer.alloc(5_000_000, 'large ');
    await store.write((batch) => batch.put('records', bytes('l'), large), durable);
    await put('s', 'small');
    expect(text(store.latest.get('records', bytes('s')))).toBe('small');
    const read = store.latest.get('records', bytes('l'));
    expect(text(store.latest.get('records', bytes('s')))).toBe('small');
    expect(Buffer.compare(read ?? Buffer.alloc(0), large)).toBe(0);
  });

  it('walks ranges in both directions with the bounds asked for', async () => {
    await store.write((batch) => {
      for (let i = 0; i < 100; i++) batch.put('records', Buffer.from([1, i]), Buffer.from([i]));
      batch.put('records', Buffer.from([2]), bytes(''));
    }, durable);
    const indexes = (options: object): number[] =>
      [...store.latest.range('records', options)].map(({ key }) => key[1] ?? -1);
    const start = Buffer.from([1, 10]);
    const end = Buffer.from([1, 90]);
    const upward = Array.from({ length: 80 }, (_, i) => i + 10);
    expect(indexes({ start, end })).toEqual(upward);
    expect(indexes({ start, end, reverse: true })).toEqual([...upward].reverse());
    expect(indexes({ start, end, startExclusive: true })).toEqual(upward.slice(1));
    expect(indexes({ start, end, startExclusive: true, reverse: true })).toEqual(
      upward.slice(1).reverse(),
    );
    expect(indexes({ end, keysOnly: true, reverse: true })).toHaveLength(90);
    expect(indexes({})).toHaveLength(101);
    expect(indexes({ reverse: true })).toHaveLength(101);
    expect(indexes({ start: end, end: start })).toEqual([]);
  });

  it('undoes a work that throws after writing, and leaves its neighbours alone', async () => {
    await put('kept', 'old');
    const results = await Promise.allSettled([
      put('first', '1'),
      store.write((batch) => {
        batch.put('records', bytes('kept'), bytes('new'));
        batch.put('records', bytes('added'), bytes('x'));
        batch.remove('records', bytes('first'));
        batch.addCounters(7, 5, 500);
        throw new Error('no');
      }, durable),
      store.write((batch) => text(batch.get('records', bytes('first'))), durable),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[2]).toMatchObject({ value: '1' });
    expect(keys(store.latest.range('records', {}))).toBe('first kept');
    expect(text(store.latest.get('records', bytes('kept')))).toBe('old');
    expect(store.latest.counters(7)).toEqual({ count: 0, bytes: 0 });
  });

  it('shows a work its own writes', async () => {
    const seen = await store.write((batch) => {
      batch.put('records', bytes('b'), bytes('2'));
      batch.addCounters(1, 1, 10);
      batch.put('records', bytes('a'), bytes('1'));
      batch.remove('records', bytes('b'));
      return [keys(batch.range('records', {})), batch.counters(1).count];
    }, durable);
    expect(seen).toEqual(['a', 1]);
    expect(store.latest.counters(1)).toEqual({ count: 1, bytes: 10 });
  });

  it('runs undo and commit actions by the outcome of the work', async () => {
    const events: string[] = [];
    await store.write((batch) => {
      batch.onUndo(() => events.push('undo 1'));
      batch.onCommitted(() => events.push('committed 1'));
    }, durable);
    await store
      .write((batch) => {
        batch.onUndo(() => events.push('undo 2'));
        batch.onCommitted(() => events.push('committed 2'));
        throw new Error('no');
      }, durable)
      .catch(() => undefined);
    expect(events).toEqual(['committed 1', 'undo 2']);
  });

  it('holds a snapshot still while the store moves on', async () => {
    await put('a', '1');
    const snapshot = store.snapshot();
    await put('a', '2');
    await put('b', '2');
    expect(text(snapshot.get('records', bytes('a')))).toBe('1');
    expect(keys(snapshot.range('records', {}))).toBe('a');
    expect(text(store.latest.get('records', bytes('a')))).toBe('2');
    snapshot.close();
    expect(() => snapshot.get('records', bytes('a'))).toThrow('closed');
  });

  it('refuses a second engine on the same folder, in this process and in another', async () => {
    await expect(openLmdbStore(folder)).rejects.toThrow('in use by another engine');
    const script = `
      import { openLmdbStore } from ${JSON.stringify(join(import.meta.dirname, 'lmdb-store.ts'))};
      openLmdbStore(${JSON.stringify(folder)}).then(
        () => process.stdout.write('opened'), (error) => process.stdout.write(error.message));`;
    const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module'], {
      input: script,
      cwd: import.meta.dirname,
      encoding: 'utf8',
    });
    expect(child.stdout).toContain('in use by another engine');
  });

  it('takes over the folder of an engine that was killed', async () => {
    await store.close();
    const script = `
      import { openLmdbStore } from ${JSON.stringify(join(import.meta.dirname, 'lmdb-store.ts'))};
      openLmdbStore(${JSON.stringify(folder)}).then(async (store) => {
        const write = (k) => store.write((b) => b.put('records', Buffer.from(k), Buffer.from('v')), { durable: false });
        await write('acknowledged');
        process.kill(process.pid, 'SIGKILL');
      });`;
    const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module'], {
      input: script,
      cwd: import.meta.dirname,
    });
    expect(child.signal).toBe('SIGKILL');
    store = await openLmdbStore(folder);
    expect(text(store.latest.get('records', bytes('acknowledged')))).toBe('v');
  });

  it('refuses data of another format and touches nothing', async () => {
    await store.close();
    writeFileSync(join(folder, 'FORMAT'), 'quorate-engine 99\n');
    await expect(openLmdbStore(folder)).rejects.toThrow('format "quorate-engine 99"');
    writeFileSync(join(folder, 'FORMAT'), 'quorate-engine 1\n');
    store = await openLmdbStore(folder);
  });

  describe('begin', () => {
    it('shows a transaction its snapshot with its own writes merged in', async () => {
      for (const key of ['b', 'd', 'f', 'h']) await put(key, 'old');
      const transaction = store.begin();
      await put('c', 'later');
      transaction.put('records', bytes('a'), bytes('own'));
      transaction.put('records', bytes('d'), bytes('own'));
      transaction.put('records', bytes('e'), bytes('own'));
      transaction.remove('records', bytes('f'));
      transaction.put('records', bytes('i'), bytes('own'));
      const entries = [...transaction.range('records', {})];
      expect(entries.map(({ key, value }) => `${text(key)}=${text(value)}`).join(' ')).toBe(
        'a=own b=old d=own e=own h=old i=own',
      );
      expect(keys(transaction.range('records', { reverse: true }))).toBe('i h e d b a');
      expect(keys(transaction.range('records', { start: bytes('b'), end: bytes('h') }))).toBe(
        'b d e',
      );
      expect(store.latest.get('records', bytes('a'))).toBeUndefined();
      await store.write((batch) => transaction.commit(batch), durable);
      expect(keys(store.latest.range('records', {}))).toBe('a b c d e h i');
    });

    it('lets the first writer of a key win', async () => {
      await put('k', '0');
      const first = store.begin();
      const second = store.begin();
      first.put('records', bytes('k'), bytes('1'));
      const conflict = (() => {
        try {
          second.put('records', bytes('k'), bytes('2'));
        } catch (error) {
          return error;
        }
        return undefined;
      })();
      expect(conflict).toBeInstanceOf(MongoCommandError);
      expect(conflict).toMatchObject({ code: 112, labels: ['TransientTransactionError'] });
      second.abort();
      await store.write((batch) => first.commit(batch), durable);
      expect(text(store.latest.get('records', bytes('k')))).toBe('1');
    });

    it('refuses to write over a change newer than its snapshot', async () => {
      await put('k', '0');
      const transaction = store.begin();
      await put('k', '1');
      expect(() => transaction.put('records', bytes('k'), bytes('2'))).toThrow('Write conflict');
      transaction.abort();
    });

    it('notices a write that was being committed when it took the key', async () => {
      await put('k', '0');
      const transaction = store.begin();
      let conflict: unknown;
      await store.write((batch) => {
        batch.put('records', bytes('k'), bytes('1'));
        // after the work has run, and most often before LMDB has made it readable
        queueMicrotask(() => {
          try {
            transaction.put('records', bytes('k'), bytes('2'));
          } catch (error) {
            conflict = error;
          }
        });
      }, durable);
      conflict ??= await store
        .write((batch) => transaction.commit(batch), durable)
        .catch((error: unknown) => error);
      expect(conflict).toMatchObject({ code: 112 });
      transaction.abort();
      expect(text(store.latest.get('records', bytes('k')))).toBe('1');
    });

    it('makes other writes of its keys wait, and not fail', async () => {
      const transaction = store.begin();
      transaction.put('records', bytes('k'), bytes('1'));
      const order: string[] = [];
      const waiting = store
        .write((batch) => {
          batch.put('records', bytes('other'), bytes('x'));
          const seen = text(batch.get('records', bytes('k')));
          batch.put('records', bytes('k'), bytes('2'));
          return seen;
        }, durable)
        .then((seen) => {
          order.push('waiting');
          return seen;
        });
      await put('free', '1');
      order.push('free');
      expect(store.latest.get('records', bytes('other'))).toBeUndefined();
      await store.write((batch) => transaction.commit(batch), durable);
      expect(await waiting).toBe('1');
      expect(order).toEqual(['free', 'waiting']);
      expect(text(store.latest.get('records', bytes('k')))).toBe('2');
    });

    it('lets a waiting write give up when it is interrupted', async () => {
      const transaction = store.begin();
      transaction.put('records', bytes('k'), bytes('1'));
      let interrupt: (reason: unknown) => void = () => undefined;
      const waiting = store.write((batch) => batch.put('records', bytes('k'), bytes('2')), {
        durable: true,
        interruption: {
          check: () => undefined,
          subscribe(listener) {
            interrupt = listener;
            return () => undefined;
          },
        },
      });
      await put('free', '1');
      interrupt(new Error('too long'));
      await expect(waiting).rejects.toThrow('too long');
      transaction.abort();
      expect(store.latest.get('records', bytes('k'))).toBeUndefined();
    });

    it('leaves no trace when it is aborted', async () => {
      const transaction = store.begin();
      const events: string[] = [];
      transaction.onUndo(() => events.push('undone'));
      transaction.put('records', bytes('k'), bytes('1'));
      transaction.addCounters(3, 1, 1);
      transaction.abort();
      transaction.abort();
      await put('other', '1');
      expect(keys(store.latest.range('records', {}))).toBe('other');
      expect(events).toEqual(['undone']);
    });

    it('adds to counters without conflict', async () => {
      const first = store.begin();
      const second = store.begin();
      first.addCounters(3, 1, 10);
      second.addCounters(3, 2, 20);
      expect(first.counters(3).count).toBe(1);
      await store.write((batch) => first.commit(batch), durable);
      await store.write((batch) => second.commit(batch), durable);
      expect(store.latest.counters(3)).toEqual({ count: 3, bytes: 30 });
    });
  });
});
