import { open, type RootDatabase } from 'lmdb';
import type { Table } from './store.ts';

const MAX_TABLES = 16;

/**
 * Copies the committed state of a folder at one moment, compacted, while others read and write it.
 *
 * @param target - an existing folder without a data file
 */
export async function copyLmdbFolder(folder: string, target: string): Promise<void> {
  const environment = openReadOnly(folder);
  try {
    await environment.backup(target, true);
  } finally {
    await environment.close();
  }
}

/** The greatest key of a table of a closed folder, whose keys all have `keyBytes` bytes. */
export async function readLastKey(
  folder: string,
  table: Table,
  keyBytes: number,
): Promise<Uint8Array | undefined> {
  const environment = openReadOnly(folder);
  try {
    const keys = environment
      .openDB<Uint8Array, Uint8Array>({ name: table, keyEncoding: 'binary', encoding: 'binary' })
      .getKeys({ start: Buffer.alloc(keyBytes, 0xff), reverse: true, limit: 1 });
    for (const key of keys) return Uint8Array.from(key);
    return undefined;
  } finally {
    await environment.close();
  }
}

function openReadOnly(path: string): RootDatabase {
  return open({ path, noSubdir: false, readOnly: true, maxDbs: MAX_TABLES });
}
