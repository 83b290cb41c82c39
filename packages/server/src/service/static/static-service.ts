import { createReadStream, realpathSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { parseByteRange } from '../../lib/byte-range.ts';
import type { HttpRequest } from '../../model/http-request.ts';
import type { Reply, ReplyHeader } from '../../model/reply.ts';
import type { Service } from '../../model/service.ts';
import { mediaTypeOf } from './media-type.ts';

export interface StaticConfig {
  /** Existing folder. */
  readonly folder: string;
  /** URI it is served under. */
  readonly where: string;
  readonly welcomeFile: string;
}

const NOT_FOUND: Reply = { status: 404, headers: [] };

/** Serves the files of a folder as they are, to everybody (operations.md §9). */
export function createStaticService(config: StaticConfig): Service {
  const root = realpathSync(config.folder);
  return {
    name: `static-resources ${config.where}`,
    uri: config.where,
    match: 'prefix',
    secured: false,
    bare: true,
    async handle(request): Promise<Reply> {
      if (!['GET', 'HEAD', 'POST'].includes(request.method)) return { status: 405, headers: [] };
      const prefix = config.where === '/' ? '' : config.where;
      const path = decodePath(request.rawPath.slice(prefix.length));
      const file = path === undefined ? undefined : await findFile(root, path);
      if (file === undefined) return NOT_FOUND;
      if (!file.isFolder) return sendFile(request, file.path, file);
      if (!request.rawPath.endsWith('/')) return redirectToFolder(request);
      const welcome = await findFile(root, join(path ?? '', config.welcomeFile));
      if (welcome === undefined || welcome.isFolder) return { status: 403, headers: [] };
      return sendFile(request, welcome.path, welcome);
    },
  };
}

interface FoundFile {
  readonly path: string;
  readonly isFolder: boolean;
  readonly size: number;
  readonly modifiedAt: Date;
}

function decodePath(rawPath: string): string | undefined {
  try {
    const path = decodeURIComponent(rawPath);
    return path.includes('\0') ? undefined : path;
  } catch {
    return undefined;
  }
}

/** The file behind a path; undefined when there is none, or when it lies outside of the folder, also by a link. */
async function findFile(root: string, path: string): Promise<FoundFile | undefined> {
  if (path.split(/[/\\]/).includes('..')) return undefined;
  try {
    const real = await realpath(join(root, path));
    if (real !== root && !real.startsWith(root + sep)) return undefined;
    const facts = await stat(real);
    if (!facts.isFile() && !facts.isDirectory()) return undefined;
    const isFolder = facts.isDirectory();
    return { path: real, isFolder, size: facts.size, modifiedAt: facts.mtime };
  } catch {
    return undefined;
  }
}

function redirectToFolder(request: HttpRequest): Reply {
  const scheme = request.secure ? 'https' : 'http';
  const query = request.rawQuery === '' ? '' : `?${request.rawQuery}`;
  const location = `${scheme}://${request.host}${request.rawPath}/${query}`;
  return { status: 302, headers: [['Location', location]] };
}

function sendFile(request: HttpRequest, path: string, file: FoundFile): Reply {
  const modified = file.modifiedAt.toUTCString();
  const headers: ReplyHeader[] = [
    ['Last-Modified', modified],
    ['Accept-Ranges', 'bytes'],
  ];
  if (isUnchanged(request, file.modifiedAt)) return { status: 304, headers };
  headers.push(['Content-Type', mediaTypeOf(path)]);
  const ifRange = request.header('if-range');
  const asked = ifRange === undefined || ifRange === modified ? request.header('range') : undefined;
  const range = parseByteRange(asked, file.size);
  if (range === 'unsatisfiable') {
    return { status: 416, headers: [...headers, ['Content-Range', `bytes */${file.size}`]] };
  }
  const { start, end } = range ?? { start: 0, end: file.size };
  headers.push(['Content-Length', String(end - start)]);
  if (range !== undefined) {
    headers.push(['Content-Range', `bytes ${start}-${end - 1}/${file.size}`]);
  }
  const status = range === undefined ? 200 : 206;
  if (request.method === 'HEAD' || file.size === 0) return { status, headers };
  return { status, headers, body: createReadStream(path, { start, end: end - 1 }) };
}

/** `If-Modified-Since`, at the precision of a second that HTTP dates have. */
function isUnchanged(request: HttpRequest, modifiedAt: Date): boolean {
  const since = Date.parse(request.header('if-modified-since') ?? '');
  return Number.isFinite(since) && Math.floor(modifiedAt.getTime() / 1000) * 1000 <= since;
}
