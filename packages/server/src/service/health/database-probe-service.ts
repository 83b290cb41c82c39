import type { DatabaseProbe, DatabaseProbePort } from '../../model/ports.ts';
import type { Reply } from '../../model/reply.ts';
import type { Service } from '../../model/service.ts';

export interface DatabaseProbeConfig {
  readonly uri: string;
  readonly databaseName: string;
  readonly timeoutMs: number;
}

const MAX_RUNNING = 5;
const MAX_QUEUED = 10;

/** `GET /health/db`: 200 while the database answers `ping` in time (cluster.md D2). */
export function createDatabaseProbeService(
  config: DatabaseProbeConfig,
  database: DatabaseProbePort,
): Service {
  let running = 0;
  const queue: (() => void)[] = [];

  /** At most five pings at once, so that a slow database is not buried under its own probes. */
  async function probe(): Promise<DatabaseProbe> {
    if (running >= MAX_RUNNING) await new Promise<void>((resolve) => queue.push(resolve));
    running += 1;
    try {
      return await database.ping(config.databaseName, config.timeoutMs);
    } finally {
      running -= 1;
      queue.shift()?.();
    }
  }

  return {
    name: 'database-probe',
    uri: config.uri,
    match: 'exact',
    secured: false,
    needsNobody: true,
    async handle(request): Promise<Reply> {
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return { status: 405, headers: [] };
      const isFull = running >= MAX_RUNNING && queue.length >= MAX_QUEUED;
      const reply = isFull ? tooManyReply() : replyTo(await probe());
      return request.method === 'HEAD' ? { status: reply.status, headers: reply.headers } : reply;
    },
  };
}

function replyTo(probe: DatabaseProbe): Reply {
  if (probe.status === 'ok') {
    return json(200, { status: 'ok', description: 'ping successful', latencyMs: probe.latencyMs });
  }
  if (probe.status === 'timeout') return failure(504, 'ping timeout');
  return failure(503, probe.message);
}

function tooManyReply(): Reply {
  return failure(429, 'too many concurrent probes');
}

function failure(status: number, description: string): Reply {
  return json(status, { status: 'error', description });
}

function json(status: number, value: unknown): Reply {
  return {
    status,
    headers: [['Content-Type', 'application/json; charset=UTF-8']],
    body: JSON.stringify(value),
  };
}
