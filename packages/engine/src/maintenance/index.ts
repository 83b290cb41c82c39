/** What is done to a data folder as a whole: copy it while it is written, put a copy back, check it. */
export type { BackupSummary } from './backup.ts';
export { backupFolder, restoreFolder } from './backup.ts';
export { checkFolder, type FolderCheck } from './check-folder.ts';
