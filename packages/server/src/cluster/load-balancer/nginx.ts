import { type BalancerSettings, countOf } from './settings.ts';

/**
 * nginx.conf. The free nginx probes nothing by itself: it learns from failed requests, and repeats only those that may be
 * repeated. It has no cookie of its own, so random tokens stay with the client's address.
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
    # bodies of files are streamed, not gathered
    client_max_body_size 0;
    proxy_request_buffering off;
    proxy_buffering off;

    location / {
      proxy_pass http://quorate;
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
      # POST and PATCH are not repeated: nginx does so only with non_idempotent
      proxy_next_upstream error timeout http_503;
      proxy_next_upstream_tries 3;
    }
  }
}
`;
}
