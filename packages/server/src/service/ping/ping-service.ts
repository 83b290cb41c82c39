import type { HttpRequest } from '../../model/http-request.ts';
import type { Reply } from '../../model/reply.ts';
import type { Service } from '../../model/service.ts';

export interface PingConfig {
  readonly uri: string;
  readonly message: string;
  readonly extendedResponse: boolean;
  readonly version: string;
  /** `yyyy-MM-ddTHH:mm:ssZ` */
  readonly buildTime: string;
}

const CORS = {
  allowMethods: 'GET, HEAD',
  allowHeaders: 'Authorization, Content-Type, X-Requested-With',
  exposeHeaders: '',
};

/** `GET /ping`: the process answers; it asks nothing of the database (operations.md §6). */
export function createPingService(config: PingConfig): Service {
  return {
    name: 'ping',
    uri: config.uri,
    match: 'prefix',
    secured: false,
    needsNobody: true,
    cors: () => CORS,
    handle(request): Reply {
      const headers = [['Content-Type', 'application/json']] as const;
      if (request.method === 'GET') return { status: 200, headers, body: body(config, request) };
      if (request.method === 'HEAD') return { status: 200, headers };
      return { status: 501, headers: [] };
    },
  };
}

/** Keys in the order of operations.md §6, a space after `:` and `,`. */
function body(config: PingConfig, request: HttpRequest): string {
  const fields: [string, string][] = [['message', config.message]];
  if (config.extendedResponse) {
    fields.push(
      [
        'client_ip',
        firstOf(request.header('x-forwarded-for')) ?? plainAddress(request.remoteAddress),
      ],
      ['host', lastOf(request.header('x-forwarded-host')) ?? request.host],
      ['version', config.version],
      ['build_time', config.buildTime],
    );
  }
  const members = fields.map(([name, value]) => `"${name}": ${JSON.stringify(value)}`);
  return `{${members.join(', ')}}`;
}

function firstOf(list: string | undefined): string | undefined {
  return list?.split(',')[0]?.trim();
}

function lastOf(list: string | undefined): string | undefined {
  return list?.split(',').at(-1)?.trim();
}

/** `127.0.0.1` for `::ffff:127.0.0.1`, what a dual-stack socket shows. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
