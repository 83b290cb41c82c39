import { describe, expect, it } from 'vitest';
import { DiskRoom, freeBytesOf } from './disk-room.ts';
import type { StoreChange } from './store.ts';

const MIB = 1024 * 1024;

function insert(bytes: number): StoreChange {
  return { table: 'records', key: Buffer.alloc(12), value: Buffer.alloc(bytes), previous: null };
}

function remove(bytes: number): StoreChange {
  return { table: 'records', key: Buffer.alloc(12), value: null, previous: Buffer.alloc(bytes) };
}

describe('DiskRoom', () => {
  it('measures nothing while there is plenty', () => {
    const room = new DiskRoom(
      () => 1e12,
      () => expect.unreachable(),
    );
    room.look();
    const change = insert(MIB);
    for (let i = 0; i < 10_000; i += 1) room.take([change]);
    expect(room.isFull).toBe(false);
  });

  it('refuses a write that does not fit, and takes a smaller one after it', () => {
    const room = new DiskRoom(
      () => 20 * MIB,
      () => 0,
    );
    room.look();
    expect(() => room.take([insert(30 * MIB)])).toThrow('has no room for');
    room.take([insert(10 * MIB)]);
    expect(() => room.take([insert(10 * MIB)])).toThrow(expect.objectContaining({ code: 14031 }));
    room.take([insert(1000)]);
    expect(room.isFull).toBe(true);
  });

  it('keeps a reserve for writes that make room, and counts what the file can use again', () => {
    let reusable = 0;
    const room = new DiskRoom(
      () => 2 * MIB,
      () => reusable,
    );
    room.look();
    expect(() => room.take([insert(1000)])).toThrow('has no room for');
    room.take([remove(MIB), insert(1000)]);
    reusable = 10 * MIB;
    room.look();
    room.take([insert(1000)]);
  });

  it('asks the file system of a folder', () => {
    expect(freeBytesOf(import.meta.dirname)).toBeGreaterThan(0);
    expect(freeBytesOf('/no/such/folder')).toBe(Number.POSITIVE_INFINITY);
  });
});
