import { Catalog } from '../catalog/catalog.ts';
import { checkStore, type StoreCheck } from '../catalog/check-store.ts';
import { compileStoredFilter } from '../commands/query-environment.ts';
import { assertKnownFormat } from '../storage/format-version.ts';
import { openLmdbStore } from '../storage/lmdb-store.ts';

export type FolderCheck = StoreCheck;

/**
 * Compares every index and counter of a data folder that no engine has open with its documents.
 *
 * @throws FolderInUseError, UnknownFormatError, DamagedFolderError
 */
export async function checkFolder(dataPath: string): Promise<FolderCheck> {
  assertKnownFormat(dataPath);
  const store = await openLmdbStore(dataPath, { maxCheckedLeafPages: Number.POSITIVE_INFINITY });
  try {
    const catalog = Catalog.open(store, { compileFilter: compileStoredFilter });
    try {
      return checkStore(store.latest, catalog);
    } finally {
      await catalog.close();
    }
  } finally {
    await store.close();
  }
}
