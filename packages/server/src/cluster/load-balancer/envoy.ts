import { type BalancerSettings, countOf, duration, stickyMinutes } from './settings.ts';

/** Bootstrap configuration of Envoy, API v3. */
export function envoyConfig(settings: BalancerSettings): string {
  const { isSticky } = settings;
  const head = isSticky
    ? `# Envoy in front of ${countOf(settings)} with random tokens: a cookie keeps each client on its node.`
    : `# Envoy in front of ${countOf(settings)}; any node serves any request.`;
  const hash = isSticky
    ? `                            hash_policy: [{ cookie: { name: QNODE, ttl: ${stickyMinutes(settings) * 60}s } }]\n`
    : '';
  const endpoints = settings.nodes.map((node) => {
    const [address, port] = node.split(':');
    return `              - endpoint: { address: { socket_address: { address: ${address}, port_value: ${port ?? 8080} } } }`;
  });
  return `${head}
static_resources:
  listeners:
    - name: quorate
      address: { socket_address: { address: 0.0.0.0, port_value: ${settings.listenPort} } }
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: quorate
                # streams of events are silent for long
                stream_idle_timeout: 3600s
                upgrade_configs: [{ upgrade_type: websocket }]
                route_config:
                  virtual_hosts:
                    - name: quorate
                      domains: ["*"]
                      routes:
                        - match: { prefix: "/" }
                          route:
                            cluster: nodes
                            timeout: 0s
${hash}                            retry_policy:
                              # only what never reached a node is sent to another
                              retry_on: connect-failure,refused-stream
                              num_retries: 2
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
    - name: nodes
      type: STRICT_DNS
      lb_policy: ${isSticky ? 'RING_HASH' : 'LEAST_REQUEST'}
      connect_timeout: 2s
      health_checks:
        - timeout: 2s
          interval: ${duration(settings.probeIntervalMs)}
          unhealthy_threshold: 2
          healthy_threshold: 1
          http_health_check: { path: ${settings.healthPath} }
      load_assignment:
        cluster_name: nodes
        endpoints:
          - lb_endpoints:
${endpoints.join('\n')}
`;
}
