import { type BalancerSettings, countOf, duration } from './settings.ts';

/** Caddyfile, of Caddy 2.6 or later. */
export function caddyConfig(settings: BalancerSettings): string {
  const head = settings.isSticky
    ? `# Caddy in front of ${countOf(settings)} with random tokens: a cookie keeps each client on its node.`
    : `# Caddy in front of ${countOf(settings)}; any node serves any request.`;
  const policy = settings.isSticky ? 'cookie QNODE' : 'least_conn';
  return `${head}
:${settings.listenPort} {
	reverse_proxy ${settings.nodes.join(' ')} {
		lb_policy ${policy}
		lb_try_duration 5s
		lb_try_interval 100ms
		health_uri ${settings.healthPath}
		health_interval ${duration(settings.probeIntervalMs)}
		health_timeout 2s
		fail_duration 5s
		flush_interval -1
		header_up Host {http.request.hostport}
		header_up X-Forwarded-Host {http.request.hostport}
	}
}
`;
}
