import { type BalancerSettings, countOf, duration, stickyMinutes } from './settings.ts';

/** Dynamic configuration of Traefik 3, for its file provider. */
export function traefikConfig(settings: BalancerSettings): string {
  const { isSticky } = settings;
  const head = isSticky
    ? `# Traefik (file provider) in front of ${countOf(settings)} with random tokens: a cookie keeps each client on its node.`
    : `# Traefik (file provider) in front of ${countOf(settings)}; any node serves any request.`;
  const sticky = isSticky
    ? `        sticky: { cookie: { name: QNODE, httpOnly: true, maxAge: ${stickyMinutes(settings) * 60} } }\n`
    : '';
  const servers = settings.nodes.map((address) => `          - url: http://${address}`);
  return `${head}
http:
  routers:
    quorate:
      rule: PathPrefix(\`/\`)
      service: nodes
      middlewares: [retry]
  middlewares:
    retry:
      # only before a node has answered anything, and never a request that may have been executed
      retry:
        attempts: 3
        initialInterval: 100ms
  services:
    nodes:
      loadBalancer:
        passHostHeader: true
${sticky}        healthCheck:
          path: ${settings.healthPath}
          interval: ${duration(settings.probeIntervalMs)}
          timeout: 2s
        servers:
${servers.join('\n')}
`;
}
