import { albConfig } from './alb.ts';
import { caddyConfig } from './caddy.ts';
import { envoyConfig } from './envoy.ts';
import { haproxyConfig } from './haproxy.ts';
import { nginxConfig } from './nginx.ts';
import type { BalancerSettings } from './settings.ts';
import { traefikConfig } from './traefik.ts';

const WRITERS = {
  haproxy: haproxyConfig,
  nginx: nginxConfig,
  caddy: caddyConfig,
  envoy: envoyConfig,
  traefik: traefikConfig,
  alb: albConfig,
} as const;

export type BalancerKind = keyof typeof WRITERS;

export const BALANCER_KINDS = Object.keys(WRITERS) as readonly BalancerKind[];

/** The configuration of one kind of balancer; what deploy/load-balancer holds is made by it. */
export function balancerConfig(kind: BalancerKind, settings: BalancerSettings): string {
  return WRITERS[kind](settings);
}
