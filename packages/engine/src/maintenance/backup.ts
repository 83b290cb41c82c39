import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromKey, type Position } from '../oplog/oplog-entry.ts';
import { assertKnownFormat } from '../storage/format-version.ts';
import { copyLmdbFolder, readLastKey } from '../storage/lmdb-copy.ts';

const DATA_FILE = 'data.mdb';
const FORMAT_FILE = 'FORMAT';
const SUMMARY_FILE = 'BACKUP.json';
const OPLOG_KEY_BYTES = 8;

/** What a backup says of itself, in `BACKUP.json`. */
export interface BackupSummary {
  readonly takenAt: string;
  /** The last write it holds, as seconds and increment of MongoDB's cluster time. */
  readonly clusterTime: { readonly t: number; readonly i: number };
  readonly bytes: number;
}

/**
 * Copies a data folder as it is at one moment, whether or not an engine writes to it: LMDB's readers,
 * of other processes too, see one committed state and hold no writer up. All of it is in the copy:
 * documents, indexes, users, sessions and the log, so that change streams resume from before.
 *
 * @param target - a folder that does not exist or is empty
 * @throws UnknownFormatError when `dataPath` is no data folder of this engine's format
 */
export async function backupFolder(dataPath: string, target: string): Promise<BackupSummary> {
  assertKnownFormat(dataPath);
  await claimEmpty(target);
  const unfinished = join(target, 'unfinished');
  await mkdir(unfinished);
  await copyLmdbFolder(dataPath, unfinished);
  await copyFile(join(dataPath, FORMAT_FILE), join(unfinished, FORMAT_FILE));
  const lastKey = await readLastKey(unfinished, 'oplog', OPLOG_KEY_BYTES);
  const position: Position = lastKey === undefined ? 0n : fromKey(lastKey);
  const summary: BackupSummary = {
    takenAt: new Date().toISOString(),
    clusterTime: { t: Number(position >> 32n), i: Number(position & 0xffff_ffffn) },
    bytes: (await stat(join(unfinished, DATA_FILE))).size,
  };
  await writeFile(join(unfinished, SUMMARY_FILE), `${JSON.stringify(summary, null, 2)}\n`);
  // only a whole backup has its files in place
  for (const name of [DATA_FILE, FORMAT_FILE, SUMMARY_FILE]) {
    await rename(join(unfinished, name), join(target, name));
  }
  await rm(unfinished, { recursive: true });
  return summary;
}

/**
 * Puts a backup where an engine shall find it.
 *
 * @param dataPath - a folder that does not exist or is empty: nothing is ever overwritten
 */
export async function restoreFolder(backup: string, dataPath: string): Promise<void> {
  if (!existsSync(join(backup, SUMMARY_FILE))) {
    throw new Error(`${backup} holds no finished backup`);
  }
  assertKnownFormat(backup);
  await claimEmpty(dataPath);
  // the data first under another name: an engine must not find half of it
  const unfinished = join(dataPath, `${DATA_FILE}.restoring`);
  await copyFile(join(backup, DATA_FILE), unfinished);
  await copyFile(join(backup, FORMAT_FILE), join(dataPath, FORMAT_FILE));
  await rename(unfinished, join(dataPath, DATA_FILE));
}

async function claimEmpty(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) throw new Error(`${folder} is not empty`);
}
