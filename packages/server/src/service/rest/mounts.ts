/** From request paths to mongo paths and back (rest-documents.md §1.5). */

import { QuorateError } from '../../errors/quorate-error.ts';
import type { RequestMount } from './rest-request.ts';

/** One configured mount. */
export interface MountEntry {
  readonly what: string;
  readonly where: string;
}

/** What a request path means. */
export interface MountMatch {
  readonly mount: RequestMount;
  /** Decoded segments of the mongo path. */
  readonly tokens: readonly string[];
}

/** Finds the mount of a decoded request path; undefined: nothing is bound there. */
export type MountTable = (segments: readonly string[], host: string) => MountMatch | undefined;

interface PlainMount {
  readonly whereSegments: readonly string[];
  /** Undefined for `*`, all databases. */
  readonly whatSegments: readonly string[] | undefined;
  readonly what: string;
  readonly where: string;
  readonly hasVariables: boolean;
}

/**
 * Decoded segments of a raw path; trailing slashes are dropped, empty inner segments kept.
 *
 * @throws ERR_REQUEST_URI for a malformed escape
 */
export function splitPath(rawPath: string): string[] {
  let end = rawPath.length;
  while (end > 0 && rawPath.charCodeAt(end - 1) === 0x2f) end -= 1;
  if (end === 0) return [];
  const segments = rawPath.slice(1, end).split('/');
  // split first, decode afterwards: `%2F` belongs to the id (rest-documents.md §1.4)
  return rawPath.includes('%') ? segments.map(decodeSegment) : segments;
}

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw new QuorateError('ERR_REQUEST_URI', {
      message: 'the request path is not a valid percent-encoded UTF-8 text',
      cause,
    });
  }
}

/** `/` for no segments. */
export function joinPath(segments: readonly string[]): string {
  return segments.length === 0 ? '/' : `/${segments.join('/')}`;
}

function isTemplate(where: string): boolean {
  return where.includes('{') || where.includes('*');
}

function withLeadingSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

function toPlainMount(uriSegments: readonly string[], entry: MountEntry): PlainMount {
  const whereSegments = [...uriSegments, ...splitPlain(withLeadingSlash(entry.where))];
  const all = entry.what === '*' || entry.what === '/*';
  return {
    whereSegments,
    whatSegments: all ? undefined : splitPlain(withLeadingSlash(entry.what)),
    what: all ? '*' : withLeadingSlash(entry.what),
    where: joinPath(whereSegments),
    hasVariables: entry.what.includes('{'),
  };
}

function splitPlain(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

/**
 * The mounts of one configuration; a mix of plain paths and templates mounts nothing.
 *
 * @param uri - the service's own URI, prepended to every `where`
 */
export function createMountTable(uri: string, entries: readonly MountEntry[]): MountTable {
  const uriSegments = splitPlain(uri);
  const templates = entries.filter((entry) => isTemplate(entry.where)).length;
  if (templates !== 0 && templates !== entries.length) {
    return (segments) => matchSessions(segments, uriSegments);
  }
  const mounts = entries
    .map((entry) => toPlainMount(uriSegments, entry))
    .sort((a, b) => rankOf(b) - rankOf(a));
  return (segments, host) => {
    const sessions = matchSessions(segments, uriSegments);
    if (sessions !== undefined) return sessions;
    for (const mount of mounts) {
      const match =
        templates === 0
          ? matchPlain(mount, segments, host)
          : matchTemplate(mount, segments, host, uriSegments.length);
      if (match !== undefined) return match;
    }
    return undefined;
  };
}

/** Longer paths first; of templates of one length the one with more literal segments. */
function rankOf(mount: PlainMount): number {
  const literal = mount.whereSegments.filter((segment) => !isTemplate(segment)).length;
  return mount.whereSegments.length * 1000 + literal;
}

/** `/_sessions…` is never rewritten (rest-documents.md §1.1). */
function matchSessions(
  segments: readonly string[],
  uriSegments: readonly string[],
): MountMatch | undefined {
  const first = segments[uriSegments.length];
  if (first === undefined || first.charCodeAt(0) !== 0x5f) return undefined;
  if (first.toLowerCase() !== '_sessions' || !startsWith(segments, uriSegments)) return undefined;
  return {
    mount: { what: '*', where: joinPath(uriSegments) },
    tokens: segments.slice(uriSegments.length),
  };
}

function startsWith(segments: readonly string[], prefix: readonly string[]): boolean {
  if (segments.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i += 1) if (segments[i] !== prefix[i]) return false;
  return true;
}

function matchPlain(
  mount: PlainMount,
  segments: readonly string[],
  host: string,
): MountMatch | undefined {
  if (!startsWith(segments, mount.whereSegments)) return undefined;
  const depth = mount.whereSegments.length;
  const rest = depth === 0 ? segments : segments.slice(depth);
  if (mount.whatSegments === undefined) return { mount, tokens: rest };
  if (!mount.hasVariables) return { mount, tokens: mount.whatSegments.concat(rest) };
  const what = fillVariables(mount.whatSegments, hostVariables(host));
  return { mount: { what: joinPath(what), where: mount.where }, tokens: what.concat(rest) };
}

function matchTemplate(
  mount: PlainMount,
  segments: readonly string[],
  host: string,
  uriDepth: number,
): MountMatch | undefined {
  const pattern = mount.whereSegments;
  const wild = pattern.at(-1) === '*';
  const depth = wild ? pattern.length - 1 : pattern.length;
  if (segments.length < depth) return undefined;
  const variables = hostVariables(host);
  for (let i = 0; i < depth; i += 1) {
    const part = pattern[i] ?? '';
    const value = segments[i] ?? '';
    const name = i >= uriDepth ? /^\{(.+)\}$/.exec(part)?.[1] : undefined;
    if (name !== undefined && !isHostVariable(name)) {
      // an empty segment names no tenant
      if (value === '') return undefined;
      variables.set(name, value);
    } else if ((name === undefined ? part : (variables.get(name) ?? '')) !== value) {
      return undefined;
    }
  }
  const rest = segments.slice(depth);
  variables.set('*', rest.join('/'));
  const where = joinPath(segments.slice(0, depth));
  if (mount.whatSegments === undefined) return { mount: { what: '*', where }, tokens: rest };
  const takesRest = mount.whatSegments.includes('{*}');
  const what = takesRest
    ? mount.whatSegments.flatMap((part) =>
        part === '{*}' ? rest : fillVariables([part], variables),
      )
    : fillVariables(mount.whatSegments, variables);
  return {
    mount: { what: joinPath(what), where },
    tokens: takesRest ? what : what.concat(rest),
  };
}

function isHostVariable(name: string): boolean {
  return name === 'host' || /^host\[\d+\]$/.test(name);
}

/** `{host}` is the host name without its port, `{host[0]}` … its dot-separated parts. */
function hostVariables(host: string): Map<string, string> {
  const name = host.startsWith('[')
    ? host.slice(0, host.indexOf(']') + 1)
    : (host.split(':', 1)[0] ?? '');
  const variables = new Map([['host', name]]);
  for (const [i, part] of name.split('.').entries()) variables.set(`host[${i}]`, part);
  return variables;
}

function fillVariables(
  segments: readonly string[],
  variables: ReadonlyMap<string, string>,
): string[] {
  return segments
    .map((segment) =>
      segment.replace(/\{([^{}]+)\}/g, (whole, name) => variables.get(name) ?? whole),
    )
    .filter((segment) => segment !== '');
}

/**
 * The request path of a mongo path below the same mount, for links to other collections; undefined when the mount
 * does not show that path.
 */
export function toRequestPath(mount: RequestMount, mongoPath: string): string | undefined {
  const where = mount.where === '/' ? '' : mount.where;
  if (mount.what === '*' || mount.what === '/') return collapseSlashes(`${where}${mongoPath}`);
  if (mongoPath === mount.what) return where === '' ? '/' : where;
  if (!mongoPath.startsWith(`${mount.what}/`)) return undefined;
  return collapseSlashes(`${where}${mongoPath.slice(mount.what.length)}`);
}

function collapseSlashes(path: string): string {
  return path.replace(/\/{2,}/g, '/');
}
