/** Each recipe of `quorate lb-config` is taken by the program it is for; where that cannot be had, its structure is read. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'packages/server/dist/main.js');
const NODES = '127.0.0.1:8081,127.0.0.1:8082,127.0.0.1:8083';
const FOLDERS = [
  join(ROOT, '.venv/bin'),
  ...`${process.env['PATH'] ?? ''}${delimiter}/usr/sbin`.split(delimiter),
];
const VARIANTS = [
  ['any node', ''],
  ['sticky', '/rndTokenManager/enabled->true;/jwtTokenManager/enabled->false'],
] as const;

const folder = mkdtempSync(join(tmpdir(), 'quorate-lb-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function find(program: string): string | undefined {
  return FOLDERS.map((path) => join(path, program)).find((path) => existsSync(path));
}

function run(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, HOME: folder, ...environment },
  });
  return { status, output: `${stdout}${stderr}${error ?? ''}`, stdout };
}

/** What the command writes for nodes that are configured so. */
function recipe(kind: string, rho: string): string {
  const args = [MAIN, 'lb-config', kind, '--nodes', NODES];
  const { status, stdout, output } = run(process.execPath, args, { RHO: rho });
  expect(status, output).toBe(0);
  return stdout;
}

const CHECKS: readonly (readonly [
  kind: string,
  program: string,
  args: (file: string) => readonly string[],
])[] = [
  ['haproxy', 'haproxy', (file) => ['-c', '-f', file]],
  [
    'nginx',
    'nginx',
    (file) => ['-t', '-p', folder, '-c', file, '-e', 'stderr', '-g', `pid ${join(folder, 'pid')};`],
  ],
  ['caddy', 'caddy', (file) => ['validate', '--config', file, '--adapter', 'caddyfile']],
  ['alb', 'cfn-lint', (file) => [file]],
];

describe('quorate lb-config', () => {
  for (const [kind, program, args] of CHECKS) {
    for (const [variant, rho] of VARIANTS) {
      it.skipIf(find(program) === undefined)(
        `${kind}, ${variant}: ${program} takes it (needs ${program})`,
        () => {
          const file = join(folder, kind === 'alb' ? 'alb.yaml' : kind);
          writeFileSync(file, recipe(kind, rho));
          const { status, output } = run(find(program) ?? program, args(file));
          expect(status, output).toBe(0);
          expect(output).not.toMatch(/\[?warn(ing)?\]? /i);
        },
      );
    }
  }

  for (const [variant, rho] of VARIANTS) {
    it(`envoy, ${variant}: listener, route and cluster belong together`, () => {
      const { static_resources: resources } = parse(recipe('envoy', rho)) as {
        static_resources: { listeners: EnvoyListener[]; clusters: EnvoyCluster[] };
      };
      const [listener] = resources.listeners;
      const [cluster] = resources.clusters;
      const manager = listener?.filter_chains[0]?.filters[0]?.typed_config;
      const route = manager?.route_config.virtual_hosts[0]?.routes[0]?.route;
      expect(listener?.address.socket_address.port_value).toBe(8080);
      expect(manager?.['@type']).toContain('http_connection_manager.v3.HttpConnectionManager');
      expect(manager?.http_filters.at(-1)?.name).toBe('envoy.filters.http.router');
      expect(route?.cluster).toBe(cluster?.name);
      // a write that may have been executed is not sent again
      expect(route?.retry_policy.retry_on).toBe('connect-failure,refused-stream');
      expect(route?.hash_policy?.[0]?.cookie.ttl).toBe(rho === '' ? undefined : '1200s');
      expect(cluster?.lb_policy).toBe(rho === '' ? 'LEAST_REQUEST' : 'RING_HASH');
      expect(cluster?.health_checks[0]?.http_health_check.path).toBe('/health/ready');
      const ports = cluster?.load_assignment.endpoints[0]?.lb_endpoints.map(
        ({ endpoint }) => endpoint.address.socket_address.port_value,
      );
      expect(ports).toEqual([8081, 8082, 8083]);
      expect(cluster?.load_assignment.cluster_name).toBe(cluster?.name);
    });

    it(`traefik, ${variant}: router, middleware and service belong together`, () => {
      const { http } = parse(recipe('traefik', rho)) as { http: TraefikHttp };
      const [router] = Object.values(http.routers);
      expect(Object.keys(http.services)).toEqual([router?.service]);
      expect(Object.keys(http.middlewares)).toEqual(router?.middlewares);
      const balancer = http.services[router?.service ?? '']?.loadBalancer;
      expect(balancer?.servers.map(({ url }) => url)).toEqual(
        NODES.split(',').map((address) => `http://${address}`),
      );
      expect(balancer?.healthCheck.path).toBe('/health/ready');
      expect(balancer?.sticky?.cookie.maxAge).toBe(rho === '' ? undefined : 1200);
    });
  }
});

interface SocketAddress {
  readonly socket_address: { readonly address: string; readonly port_value: number };
}

interface EnvoyListener {
  readonly address: SocketAddress;
  readonly filter_chains: readonly {
    readonly filters: readonly {
      readonly typed_config: {
        readonly '@type': string;
        readonly http_filters: readonly { readonly name: string }[];
        readonly route_config: {
          readonly virtual_hosts: readonly {
            readonly routes: readonly {
              readonly route: {
                readonly cluster: string;
                readonly retry_policy: { readonly retry_on: string };
                readonly hash_policy?: readonly { readonly cookie: { readonly ttl: string } }[];
              };
            }[];
          }[];
        };
      };
    }[];
  }[];
}

interface EnvoyCluster {
  readonly name: string;
  readonly lb_policy: string;
  readonly health_checks: readonly { readonly http_health_check: { readonly path: string } }[];
  readonly load_assignment: {
    readonly cluster_name: string;
    readonly endpoints: readonly {
      readonly lb_endpoints: readonly { readonly endpoint: { readonly address: SocketAddress } }[];
    }[];
  };
}

interface TraefikHttp {
  readonly routers: Readonly<
    Record<string, { readonly service: string; readonly middlewares: readonly string[] }>
  >;
  readonly middlewares: Readonly<Record<string, unknown>>;
  readonly services: Readonly<
    Record<
      string,
      {
        readonly loadBalancer: {
          readonly servers: readonly { readonly url: string }[];
          readonly healthCheck: { readonly path: string };
          readonly sticky?: { readonly cookie: { readonly maxAge: number } };
        };
      }
    >
  >;
}
