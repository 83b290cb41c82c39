/** The list `proxies` of the configuration as services (operations.md §8). */
import { QuorateError } from '../errors/quorate-error.ts';
import { createForwarder } from '../http/forward-request.ts';
import type { AnyService } from '../model/service.ts';
import type { Log } from '../observe/log.ts';
import { createProxyService } from '../service/proxy/proxy-service.ts';

/** One service for each entry; one that names no location or no good target is an error in the log, and left out. */
export function createProxyServices(section: unknown, log: Log): AnyService[] {
  if (section === undefined || section === null) return [];
  if (!Array.isArray(section)) {
    throw new QuorateError('ERR_CONFIG_INVALID', {
      message: '/proxies must be a list of {location, proxy-pass}',
    });
  }
  return section.flatMap((entry: unknown, index) => {
    const { location, ...rest } = (entry ?? {}) as Record<string, unknown>;
    const targets = readTargets(rest['proxy-pass']);
    if (typeof location !== 'string' || !location.startsWith('/') || targets.length === 0) {
      log.error(
        `/proxies[${index + 1}] is left out: it needs location, a path, and proxy-pass, a URL or a list of them`,
      );
      return [];
    }
    const { forward, close } = createForwarder({
      maxIdleConnections: numberOf(rest['soft-max-connections-per-thread'], 5),
      idleTimeoutMs: numberOf(rest['connections-ttl'], -1) * 1000,
    });
    const service = createProxyService({
      location,
      targets,
      name: `proxy ${typeof rest['name'] === 'string' ? rest['name'] : location}`,
      rewriteHost: rest['rewrite-host-header'] !== false,
      retryAfterMs: numberOf(rest['problem-server-retry'], 10) * 1000,
      forward,
      warn: (message, err) => log.warn(message, { err }),
    });
    return [{ ...service, close: async () => close() }];
  });
}

function readTargets(value: unknown): URL[] {
  const texts = Array.isArray(value) ? value : [value];
  const urls = texts.map((text) => (typeof text === 'string' ? parseUrl(text) : undefined));
  return urls.every((url) => url !== undefined) ? urls : [];
}

function parseUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

function numberOf(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
