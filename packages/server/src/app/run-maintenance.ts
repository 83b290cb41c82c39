import { dumpDatabases, loadDatabases } from '../mongo/database-dump.ts';

const EXIT_FAILED = 1;
const EXIT_DAMAGED = 2;

export type MaintenanceCommand =
  | {
      readonly kind: 'backup' | 'restore';
      readonly data: string;
      readonly uri: string | undefined;
      readonly folder: string;
    }
  | { readonly kind: 'check'; readonly data: string };

/**
 * `quorate backup`, `restore` and `check`.
 *
 * @returns the exit code: 1 when it could not be done, 2 when a check found damage
 */
export async function runMaintenance(command: MaintenanceCommand): Promise<number> {
  try {
    switch (command.kind) {
      case 'backup':
        return await backup(command);
      case 'restore':
        return await restore(command);
      case 'check':
        return await check(command.data);
    }
  } catch (error) {
    process.stderr.write(
      `quorate ${command.kind}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return EXIT_FAILED;
  }
}

type Transfer = Extract<MaintenanceCommand, { readonly kind: 'backup' | 'restore' }>;

async function backup({ data, uri, folder }: Transfer): Promise<number> {
  if (uri !== undefined) {
    const { collections, documents } = await dumpDatabases(uri, folder);
    process.stdout.write(`${documents} documents of ${collections} collections in ${folder}\n`);
    return 0;
  }
  const { backupFolder } = await import('@quorate/engine/maintenance');
  const { bytes, clusterTime } = await backupFolder(data, folder);
  process.stdout.write(
    `${bytes} bytes as of ${new Date(clusterTime.t * 1000).toISOString()} in ${folder}\n`,
  );
  return 0;
}

async function restore({ data, uri, folder }: Transfer): Promise<number> {
  if (uri !== undefined) {
    const { collections, documents } = await loadDatabases(uri, folder);
    process.stdout.write(`${documents} documents of ${collections} collections restored\n`);
    return 0;
  }
  const { restoreFolder } = await import('@quorate/engine/maintenance');
  await restoreFolder(folder, data);
  process.stdout.write(`restored to ${data}\n`);
  return 0;
}

async function check(data: string): Promise<number> {
  const { checkFolder } = await import('@quorate/engine/maintenance');
  const { collections, documents, indexEntries, problems } = await checkFolder(data);
  for (const { namespace, index, text } of problems) {
    process.stdout.write(`${namespace}${index === undefined ? '' : ` index ${index}`}: ${text}\n`);
  }
  process.stdout.write(
    `${collections} collections, ${documents} documents, ${indexEntries} index entries, ` +
      `${problems.length} problems\n`,
  );
  return problems.length === 0 ? 0 : EXIT_DAMAGED;
}
