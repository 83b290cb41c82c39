import type { Reply } from '../../model/reply.ts';
import type { Service } from '../../model/service.ts';

/** What the probes ask; implemented in `cluster/`. */
export interface HealthState {
  readonly hasStarted: boolean;
  check(): Promise<{
    readonly state: string;
    readonly isReady: boolean;
    readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail?: unknown }>>;
  }>;
}

/**
 * `/health/live`: the process answers; `/health/ready`: it should get requests; `/health/startup`: it once was ready
 * (cluster.md E4). Open to everybody, as balancers and kubelets have no account.
 */
export function createHealthServices(uri: string, health: HealthState): Service[] {
  const service = (name: string, answer: () => Promise<Reply>): Service => ({
    name: `health-${name}`,
    uri: `${uri}/${name}`,
    match: 'exact',
    secured: false,
    // no look at credentials: they would need the database
    bare: true,
    async handle(request): Promise<Reply> {
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return { status: 405, headers: [['Allow', 'GET, HEAD']] };
      const reply = await answer();
      return request.method === 'HEAD' ? { status: reply.status, headers: reply.headers } : reply;
    },
  });
  return [
    service('live', async () => json(200, { status: 'ok', uptimeSeconds: uptime() })),
    service('ready', async () => {
      const { state, isReady, checks } = await health.check();
      return json(isReady ? 200 : 503, { status: isReady ? 'ok' : 'unavailable', state, checks });
    }),
    service('startup', async () => {
      // asked for its effect: a node that nobody probes for readiness may still have started
      const { state, checks } = await health.check();
      const isStarted = health.hasStarted;
      return json(isStarted ? 200 : 503, { status: isStarted ? 'ok' : 'starting', state, checks });
    }),
  ];
}

function uptime(): number {
  return Math.round(process.uptime());
}

function json(status: number, value: unknown): Reply {
  const headers: [string, string][] = [
    ['Content-Type', 'application/json; charset=UTF-8'],
    ['Cache-Control', 'no-store'],
  ];
  if (status === 503) headers.push(['Retry-After', '1']);
  return { status, headers, body: JSON.stringify(value) };
}
