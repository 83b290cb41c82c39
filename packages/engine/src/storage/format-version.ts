import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** Raised with every change of keys or values that an older engine would misread. */
export const FORMAT_VERSION = 1;

const FILE_NAME = 'FORMAT';
const DATA_FILE = 'data.mdb';

/** The folder holds data this engine cannot read; nothing in it has been touched. */
export class UnknownFormatError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnknownFormatError';
  }
}

function flush(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function writeFormat(folder: string): void {
  const path = join(folder, FILE_NAME);
  const temporary = `${path}.new`;
  const handle = openSync(temporary, 'w');
  try {
    writeSync(handle, `quorate-engine ${FORMAT_VERSION}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, path);
  // Windows opens no folders for flushing
  if (process.platform !== 'win32') flush(folder);
}

/**
 * Writes the format version into a new folder and checks that of an old one.
 *
 * @throws UnknownFormatError
 */
export function checkFormat(folder: string): void {
  const hasFormat = existsSync(join(folder, FILE_NAME));
  if (!hasFormat && !existsSync(join(folder, DATA_FILE))) writeFormat(folder);
  else assertKnownFormat(folder);
}

/**
 * Checks that a folder holds data of this format; nothing in it is touched.
 *
 * @throws UnknownFormatError
 */
export function assertKnownFormat(folder: string): void {
  const path = join(folder, FILE_NAME);
  if (!existsSync(path)) {
    throw new UnknownFormatError(
      existsSync(join(folder, DATA_FILE))
        ? `${folder} holds a database of an unknown kind`
        : `${folder} holds no data of this engine`,
    );
  }
  const text = readFileSync(path, 'utf8').trim();
  const version = /^quorate-engine (\d+)$/.exec(text)?.[1];
  if (version === undefined || Number(version) !== FORMAT_VERSION) {
    throw new UnknownFormatError(
      `${folder} holds data of format "${text.slice(0, 60)}"; this engine reads quorate-engine ${FORMAT_VERSION}`,
    );
  }
}
