import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type BalancerKind, balancerConfig } from './balancer-config.ts';
import { DEFAULT_BALANCER_SETTINGS } from './settings.ts';

const FOLDER = new URL('../../../../../deploy/load-balancer/', import.meta.url);
const FILES: readonly (readonly [file: string, kind: BalancerKind, isSticky: boolean])[] = [
  ['haproxy.cfg', 'haproxy', false],
  ['haproxy-sticky.cfg', 'haproxy', true],
  ['nginx.conf', 'nginx', false],
  ['nginx-sticky.conf', 'nginx', true],
  ['Caddyfile', 'caddy', false],
  ['envoy.yaml', 'envoy', false],
  ['traefik.yml', 'traefik', false],
  ['alb.yaml', 'alb', false],
];

describe('balancerConfig', () => {
  for (const [file, kind, isSticky] of FILES) {
    it(`makes deploy/load-balancer/${file}`, async () => {
      const text = balancerConfig(kind, { ...DEFAULT_BALANCER_SETTINGS, isSticky });
      await expect(text).toMatchFileSnapshot(fileURLToPath(new URL(file, FOLDER)));
    });
  }

  it('keeps the sticky cookie longer than a token lives', () => {
    const settings = { ...DEFAULT_BALANCER_SETTINGS, isSticky: true, tokenTtlMinutes: 60 };
    expect(balancerConfig('haproxy', settings)).toContain('maxidle 80m');
    expect(balancerConfig('nginx', settings)).toContain('Max-Age=4800');
    expect(balancerConfig('envoy', settings)).toContain('ttl: 4800s');
    expect(balancerConfig('traefik', settings)).toContain('maxAge: 4800');
    expect(balancerConfig('alb', settings)).toContain("duration_seconds, Value: '4800'");
  });
});
