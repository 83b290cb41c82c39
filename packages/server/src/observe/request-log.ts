import type { Identity } from '../model/identity.ts';
import type { Log } from './log.ts';
import type { EndedRequest, RequestObserver } from './request-observer.ts';

export interface RequestLogConfig {
  /** 0 none, 1 one line, 2 a dump (operations.md §4). */
  readonly mode: number;
  readonly tracingHeaders: readonly string[];
  readonly excludePatterns: readonly string[];
  readonly excludeIntervalMinutes: number;
}

/** Writes each answered request to the log, except excluded paths, which are mentioned now and then. */
export function createRequestLog(
  config: RequestLogConfig,
  log: Log,
  clock: () => number = Date.now,
): RequestObserver {
  const exclusions = config.excludePatterns.map((pattern) => ({
    pattern,
    regex: wildcardToRegex(pattern),
    lastLoggedAtMs: undefined as number | undefined,
  }));
  const intervalMs = config.excludeIntervalMinutes * 60_000;

  /** The notice to put before the line, or undefined when the request is not to be logged. */
  function noticeFor(path: string): string | undefined {
    for (const exclusion of exclusions) {
      if (!exclusion.regex.test(path)) continue;
      const now = clock();
      const last = exclusion.lastLoggedAtMs;
      if (last === undefined) {
        exclusion.lastLoggedAtMs = now;
        return intervalMs <= 0
          ? `First excluded request for pattern '${exclusion.pattern}' (logging disabled for subsequent requests): `
          : `First excluded request for pattern '${exclusion.pattern}' (will log again every ${config.excludeIntervalMinutes} minutes): `;
      }
      if (intervalMs <= 0 || now - last < intervalMs) return undefined;
      exclusion.lastLoggedAtMs = now;
      return `Excluded request for pattern '${exclusion.pattern}' (last logged ${Math.round((now - last) / 60_000)} minutes ago): `;
    }
    return '';
  }

  return {
    ended(event) {
      if (config.mode === 0 || !log.isEnabled('info')) return;
      const notice = noticeFor(event.request.rawPath);
      if (notice === undefined) return;
      const text = config.mode === 1 ? formatLine(event) : formatDump(event);
      const fields = tracingFields(event, config.tracingHeaders);
      log.info(`${notice}${text}`, { requestId: event.request.id, ...fields });
    },
  };
}

function tracingFields(event: EndedRequest, names: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const name of names) {
    const value = event.request.header(name.toLowerCase());
    if (value !== undefined) fields[name] = value;
  }
  return fields;
}

function wildcardToRegex(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

function formatUrl({ request }: EndedRequest): string {
  const query = request.rawQuery === '' ? '' : `?${request.rawQuery}`;
  return `${request.secure ? 'https' : 'http'}://${request.host}${request.rawPath}${query}`;
}

/** Mode 1: `GET http://host/path from /address:port => status=200 elapsed=7ms contentLength=147` */
function formatLine(event: EndedRequest): string {
  const { request } = event;
  return (
    `${request.method} ${formatUrl(event)} from /${request.remoteAddress}:${request.remotePort} => ` +
    `status=${event.status} elapsed=${Math.round(event.elapsedMs)}ms contentLength=${event.contentLength}${formatIdentity(event.identity)}`
  );
}

function formatIdentity(identity: Identity): string {
  if (identity.kind === 'anonymous') return '';
  return ` username=${identity.name} roles=[${identity.roles.join(', ')}]`;
}

const MASKED: ReadonlySet<string> = new Set([
  'authorization',
  'auth-token',
  'cookie',
  'set-cookie',
]);

function mask(name: string, value: string): string {
  return MASKED.has(name.toLowerCase()) ? '**********' : value;
}

/** Mode 2: the two blocks of operations.md §4, credentials and cookies masked. */
function formatDump(event: EndedRequest): string {
  const { request, identity } = event;
  const requestHeaders: string[] = [];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? '';
    requestHeaders.push(
      `            header=${name}=${mask(name, request.rawHeaders[i + 1] ?? '')}`,
    );
  }
  const parameters = request.query
    .names()
    .map((name) => `         parameter=${name}=${request.query.getAll(name).join(', ')}`);
  const responseHeaders = event.responseHeaders.map(
    ([name, value]) => `            header=${name}=${mask(name, value)}`,
  );
  return [
    '',
    '----------------------------REQUEST---------------------------',
    `               URI=${request.rawPath}`,
    `          servedBy=${event.serviceName ?? 'none'}`,
    `     contentLength=${request.header('content-length') ?? -1}`,
    `       contentType=${request.header('content-type') ?? 'null'}`,
    ...requestHeaders,
    `            method=${request.method}`,
    ...parameters,
    `          protocol=HTTP/${request.httpVersion}`,
    `       queryString=${request.rawQuery}`,
    `        remoteAddr=/${request.remoteAddress}:${request.remotePort}`,
    `            scheme=${request.secure ? 'https' : 'http'}`,
    `              host=${request.host}`,
    `        serverPort=${request.localPort}`,
    '--------------------------RESPONSE--------------------------',
    `          authType=${identity.kind === 'anonymous' ? 'null' : 'account'}`,
    `           account=${identity.kind === 'anonymous' ? 'null' : `${identity.name} roles=[${identity.roles.join(', ')}]`}`,
    `     contentLength=${event.contentLength}`,
    ...responseHeaders,
    `            status=${event.status}`,
    `           elapsed=${Math.round(event.elapsedMs)}ms`,
    '==============================================================',
  ].join('\n');
}
