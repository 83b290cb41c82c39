import { type BalancerSettings, countOf, duration, nameOf, stickyMinutes } from './settings.ts';

/** haproxy.cfg, of HAProxy 2.6 or later. */
export function haproxyConfig(settings: BalancerSettings): string {
  const { isSticky } = settings;
  const head = isSticky
    ? `# HAProxy in front of ${countOf(settings)} with random tokens: a cookie keeps each client on its node.`
    : `# HAProxy in front of ${countOf(settings)}; any node serves any request.`;
  const cookie = isSticky
    ? `  # idle a little longer than a token lives (${settings.tokenTtlMinutes} minutes), or a client would lose its node before its token
  cookie QNODE insert indirect nocache httponly maxidle ${stickyMinutes(settings)}m
`
    : '';
  const servers = settings.nodes.map((address, i) => {
    const name = nameOf(i);
    return `  server ${name} ${address} check${isSticky ? ` cookie ${name}` : ''}`;
  });
  return `${head}
global
  # connections are as many as the process may have files; where that is unlimited, half of these
  fd-hard-limit 65536
  log stdout format raw local0 info

defaults
  mode http
  log global
  option httplog
  # only what went wrong, was repeated or sent elsewhere: the nodes log the rest
  option dontlog-normal
  option http-keep-alive
  option redispatch
  timeout connect 2s
  # a node that answers late is busy, not away
  timeout check 2s
  timeout client 60s
  timeout server 60s
  # WebSockets, once upgraded, and long streams of events
  timeout tunnel 1h
  timeout http-request 10s
  # no node is ready: the database is away
  http-error status 503 content-type application/json string '{"msg":"No node is ready"}' hdr Retry-After 1
  # only what never reached a node, or was refused by a draining one, is sent to another
  retries 3
  retry-on conn-failure empty-response 503

frontend quorate
  bind :${settings.listenPort}
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  # a write that may have been executed is sent again only with a key by which the nodes know it
  http-request disable-l7-retry if { method POST PATCH } !{ req.hdr(Idempotency-Key) -m found }
  default_backend nodes

backend nodes
  balance leastconn
${cookie}  option httpchk GET ${settings.healthPath}
  http-check expect status 200
  default-server inter ${duration(settings.probeIntervalMs)} fastinter ${duration(Math.ceil(settings.probeIntervalMs / 4))} fall 2 rise 1 slowstart 2s
${servers.join('\n')}
`;
}
