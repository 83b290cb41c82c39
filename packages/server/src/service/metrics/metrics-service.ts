import type { Reply } from '../../model/reply.ts';
import type { Service } from '../../model/service.ts';
import type { Metrics } from '../../observe/metrics.ts';

export interface MetricsServiceConfig {
  readonly uri: string;
  /** 404, or 200 with an empty body. */
  readonly missingRegistryStatus: number;
}

/** `GET /metrics`: names of registries; `GET /metrics/<name>`: Prometheus text (operations.md §5). */
export function createMetricsService(config: MetricsServiceConfig, metrics: Metrics): Service {
  return {
    name: 'metrics',
    uri: config.uri,
    match: 'prefix',
    secured: true,
    handle(request): Reply {
      if (request.method !== 'GET') return { status: 405, headers: [] };
      const rest = request.rawPath.slice(config.uri.length);
      if (rest === '') {
        const headers = [['Content-Type', 'application/json']] as const;
        const names = metrics.names().map((name) => JSON.stringify(name));
        return { status: 200, headers, body: `[${names.join(', ')}]` };
      }
      // an encoded slash does not separate: it never names a registry
      const body = /%2f/i.test(rest) ? undefined : metrics.print(decode(rest), Date.now());
      if (body === undefined) return { status: config.missingRegistryStatus, headers: [] };
      return { status: 200, headers: [], body };
    },
  };
}

/** `/metrics/%7Btenant%7D/*` is what clients make of `/metrics/{tenant}/*`. */
function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
