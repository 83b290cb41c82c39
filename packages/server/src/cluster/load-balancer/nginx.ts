import { type BalancerSettings, countOf, stickyMinutes } from './settings.ts';

/**
 * nginx.conf. The free nginx probes nothing by itself: it learns from failed requests, and repeats only those that may be
 * repeated: writes with an Idempotency-Key among them. Its sticky cookie is not for free either: the recipe gives each client a
 * number, whose hash finds its node, or the next one while that is away.
 */
export function nginxConfig(settings: BalancerSettings): string {
  const head = settings.isSticky
    ? `# nginx in front of ${countOf(settings)} with random tokens: a cookie keeps each client on its node.`
    : `# nginx in front of ${countOf(settings)}; any node serves any request.`;
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

${settings.isSticky ? CLIENT_NUMBER : ''}  upstream quorate {
    ${settings.isSticky ? 'hash $client_number consistent' : 'least_conn'};
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
${settings.isSticky ? stickyCookie(settings) : ''}
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

/** That of the cookie, or a new one. */
const CLIENT_NUMBER = `  map $cookie_QNODE $client_number {
    default $cookie_QNODE;
    ''      $request_id;
  }

`;

function stickyCookie(settings: BalancerSettings): string {
  const seconds = stickyMinutes(settings) * 60;
  return `    # longer than a token lives\n    add_header Set-Cookie "QNODE=$client_number; Path=/; HttpOnly; Max-Age=${seconds}" always;\n`;
}
