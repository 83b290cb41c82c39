import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { DiskRoom, type FreeBytes, freeBytesOf } from './disk-room.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import { checkFormat } from './format-version.ts';
import {
  copyFromPool,
  LatestView,
  LmdbSnapshot,
  type LmdbTable,
  type LmdbTables,
} from './lmdb-view.ts';
import { OverlayTransaction } from './overlay-transaction.ts';
import { checkPages } from './page-check.ts';
import {
  type ReadView,
  type Snapshot,
  type Store,
  type StoreChange,
  TABLES,
  type Table,
  type TransactionBatch,
  type WriteBatch,
  type WriteOptions,
} from './store.ts';
import { type GroupCommit, WriteQueue } from './write-queue.ts';

export interface LmdbStoreOptions {
  /** Address space reserved at first; it grows by itself. */
  readonly mapSizeBytes?: number;
  /** Told of the changes of each committed group, before their writers are answered. */
  readonly onCommit?: (changes: readonly StoreChange[]) => void;
  /**
   * Leaf pages that are checked before LMDB trusts them: reading all of a large file would take
   * too long at each start (measured November 2026, 2 cores: see the default).
   */
  readonly maxCheckedLeafPages?: number;
  /** Default: what the file system says. */
  readonly freeBytes?: FreeBytes;
}

const DEFAULT_MAP_BYTES = 1024 * 1024 * 1024;
/** lmdb's writer thread says so of a transaction that readers see and that is not flushed yet. */
const WRITER_IS_VISIBLE = 1;

const META_PAGES = 2;
/** 256 MiB of them. */
const DEFAULT_CHECKED_LEAVES = 65_536;

/** What lmdb tells of a tree, and of the file; its types leave it open. */
interface TreeStats {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}
interface FileStats extends TreeStats {
  readonly root: TreeStats;
  readonly free: TreeStats;
  readonly lastPageNumber: number;
  readonly pageSize: number;
}

/** The part of lmdb's native environment that is listened to. */
interface LmdbEnvironment {
  readonly startWriting?: (address: unknown, callback: (status: number) => unknown) => unknown;
}

/**
 * Opens the data folder, which it makes when there is none, and locks it.
 *
 * @throws FolderInUseError, UnknownFormatError, DamagedFolderError
 */
export async function openLmdbStore(
  folder: string,
  options: LmdbStoreOptions = {},
): Promise<LmdbStore> {
  mkdirSync(folder, { recursive: true });
  const lock = await lockFolder(folder);
  try {
    checkFormat(folder);
    checkPages(folder, { maxLeafPages: options.maxCheckedLeafPages ?? DEFAULT_CHECKED_LEAVES });
    return new LmdbStore(folder, lock, options);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * The store over LMDB. `overlappingSync` keeps the pages of the last flushed state until the next
 * flush, so that loss of power between commit and flush loses the last commits but never breaks
 * the file. Commits and flushes run on lmdb's own thread, during which the event loop is free: a
 * lone write is visible after 0.17 ms and flushed after 0.55 ms (measured November 2026, 2 cores).
 */
export class LmdbStore implements Store {
  readonly #folder: string;
  readonly #lock: FolderLock;
  readonly #root: RootDatabase<Uint8Array, Uint8Array>;
  readonly #tables: LmdbTables;
  readonly #queue: WriteQueue;
  /** What to do when the group that is being written becomes visible. */
  #onVisible: () => void = () => undefined;
  readonly latest: ReadView;

  constructor(folder: string, lock: FolderLock, options: LmdbStoreOptions) {
    this.#folder = folder;
    this.#lock = lock;
    this.#root = open<Uint8Array, Uint8Array>({
      path: folder,
      // lmdb takes a path with a dot in its last part for a file
      noSubdir: false,
      keyEncoding: 'binary',
      encoding: 'binary',
      maxDbs: TABLES.length + 3,
      mapSize: options.mapSizeBytes ?? DEFAULT_MAP_BYTES,
      overlappingSync: true,
      eventTurnBatching: false,
      noMemInit: true,
    });
    const tables: Partial<Record<Table, LmdbTable>> = {};
    for (const name of TABLES) {
      const table = this.#root.openDB<Uint8Array, Uint8Array>({
        name,
        keyEncoding: 'binary',
        encoding: 'binary',
      });
      copyFromPool(table);
      tables[name] = table;
    }
    this.#tables = tables as LmdbTables;
    this.#watchWriter();
    this.#queue = new WriteQueue(
      this.#tables,
      (run) => this.#beginGroup(run),
      new DiskRoom(options.freeBytes ?? (() => freeBytesOf(folder)), () => this.#reusableBytes()),
      options.onCommit,
    );
    this.latest = new LatestView(this.#tables, () => this.#queue.commits);
  }

  snapshot(): Snapshot {
    return new LmdbSnapshot(this.#tables);
  }

  write<T>(work: (batch: WriteBatch) => T, options: WriteOptions): Promise<T> {
    return this.#queue.add(work, options);
  }

  begin(): TransactionBatch {
    return new OverlayTransaction(this.snapshot(), this.latest, this.#queue.locks);
  }

  get sizeOnDisk(): number {
    return statSync(join(this.#folder, 'data.mdb')).size;
  }

  async close(): Promise<void> {
    await this.#queue.close();
    await this.#root.close();
    await this.#lock.release();
  }

  /** What LMDB will write over before the file grows: pages that nothing refers to. */
  #reusableBytes(): number {
    const pagesOf = (stats: TreeStats): number =>
      stats.treeBranchPageCount + stats.treeLeafPageCount + stats.overflowPages;
    const { root, free, lastPageNumber, pageSize } = this.#root.getStats() as FileStats;
    let used = META_PAGES + pagesOf(root) + pagesOf(free);
    for (const name of TABLES) used += pagesOf(this.#tables[name].getStats() as FileStats);
    return Math.max(0, lastPageNumber + 1 - used) * pageSize;
  }

  #beginGroup(run: () => void): GroupCommit {
    let showVisible = (): void => undefined;
    const visible = new Promise<void>((resolve) => {
      showVisible = resolve;
    });
    this.#onVisible = () => {
      // lmdb would keep its reads on the state before until the end of the turn
      this.#root.resetReadTxn();
      showVisible();
    };
    const committed = this.#root.transaction(run);
    committed.then(showVisible, () => undefined);
    // asked for now, because later it would speak of the next group
    const flushed = Promise.resolve(this.#root.flushed).then(() => undefined);
    // a failed commit is told by `committed`
    flushed.catch(() => undefined);
    return { visible, committed, flushed };
  }

  /**
   * LMDB shows a commit to readers before it flushes, but lmdb's promises wait for the flush. Its
   * writer tells of that moment by the status 1, which is listened to here; where an lmdb does not,
   * a commit counts as visible when it is flushed.
   */
  #watchWriter(): void {
    const { env } = this.#root as unknown as { readonly env?: LmdbEnvironment };
    const startWriting = env?.startWriting;
    if (env === undefined || typeof startWriting !== 'function') return;
    Object.defineProperty(env, 'startWriting', {
      value: (address: unknown, callback: (status: number) => unknown): unknown => {
        const onVisible = this.#onVisible;
        return startWriting.call(env, address, (status) => {
          const answer = callback(status);
          if (status === WRITER_IS_VISIBLE) onVisible();
          return answer;
        });
      },
    });
  }
}
