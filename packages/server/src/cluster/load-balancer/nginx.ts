import { type BalancerSettings, countOf } from './settings.ts';

/**
 * nginx.conf. The free nginx probes nothing by itself: it learns from failed requests, and repeats only those that may be
 * repeated: writes with an Idempotency-Key among them. It has no cookie of its own, so random tokens stay with the client's address.
 */
export function nginxConfig(settings: BalancerSettings): string {
  const head = settings.isSticky
    ? `# nginx in front of ${countOf(settings)} with random tokens: each client address keeps its node.`
    : `# nginx in front of ${countOf(settings)}; any node serves any request.`;
  const method = settings.isSticky ? 'ip_hash' : 'least_conn';
  const servers = settings.nodes.map(
    (address) => `    server ${address} max_fails=2 fail_timeout=5s;`,
  );
  return `${head}
events { worker_connections 8192; }

http {
  map $http_upgrade $connection_upgrade {
    default upgrade;
    ''      '';
  }

  upstream quorate {
    ${method};
${servers.join('\n')}
    keepalive 64;
  }

  server {
    listen ${settings.listenPort};
    client_max_body_size 0;
    proxy_buffering off;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_connect_timeout 2s;
    # streams of events are silent for long
    proxy_read_timeout 1h;
    proxy_next_upstream_tries 3;

    location / {
      # no error: how nginx chooses a location by a header
      error_page 418 = @keyed;
      if ($http_idempotency_key) { return 418; }
      proxy_pass http://quorate;
      # bodies of files are streamed, not gathered
      proxy_request_buffering off;
      # POST and PATCH are sent again only when no node was reached
      proxy_next_upstream error timeout http_503;
    }

    # a write with a key: the nodes know whether they have executed it, so it may be sent again
    location @keyed {
      proxy_pass http://quorate;
      proxy_next_upstream error timeout http_503 non_idempotent;
    }
  }
}
`;
}
