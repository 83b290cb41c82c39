import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';

/** Folders held by this process; LMDB hands one environment to all openers within a process. */
const held = new Set<string>();

/** The folder belongs to another running engine. */
export class FolderInUseError extends Error {
  constructor(folder: string) {
    super(`The data folder ${folder} is in use by another engine`);
    this.name = 'FolderInUseError';
  }
}

export interface FolderLock {
  release(): Promise<void>;
}

/** True when a live process has a read transaction open; LMDB's list names one per line. */
function hasReaders(environment: RootDatabase): boolean {
  return /^\s*\d+\s/m.test(environment.readerList());
}

/**
 * Makes this process the folder's only engine. The lock is a read transaction held in a small LMDB
 * environment of its own: LMDB's reader table is guarded by locks of the operating system, which
 * vanish with the process however it ends, and which hold between containers that share the folder.
 *
 * @throws FolderInUseError
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  mkdirSync(folder, { recursive: true });
  const real = realpathSync(folder);
  if (held.has(real)) throw new FolderInUseError(folder);
  held.add(real);
  const environment = open({
    path: join(real, 'engine-lock'),
    noSubdir: false,
    maxDbs: 1,
    overlappingSync: false,
    noSync: true,
  });
  try {
    // The writer's lock makes look and claim one step between processes. An earlier read of our
    // own must not be taken for somebody else's.
    environment.resetReadTxn();
    const claim = environment.transactionSync(() => {
      environment.readerCheck();
      if (hasReaders(environment)) throw new FolderInUseError(folder);
      const transaction = environment.useReadTransaction();
      return transaction;
    });
    return {
      async release() {
        claim.done();
        await environment.close();
        held.delete(real);
      },
    };
  } catch (error) {
    await environment.close();
    held.delete(real);
    throw error;
  }
}
