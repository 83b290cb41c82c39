import type { HttpRequest } from '../../model/http-request.ts';
import type { Reply } from '../../model/reply.ts';
import type { Service, ServiceContext } from '../../model/service.ts';
import { json } from './token-service.ts';

/**
 * `GET /roles/<own name>`: any account may see its own roles (security.md §6). Everything else below
 * is vetoed before it comes here.
 */
export class RolesService implements Service {
  readonly name = 'roles';
  readonly uri: string;
  readonly match = 'prefix';
  readonly secured = true;

  constructor(options: { uri: string }) {
    this.uri = options.uri;
  }

  handle(request: HttpRequest, _prepared: unknown, { identity }: ServiceContext): Reply {
    if (request.method !== 'GET') return { status: 405, headers: [] };
    if (identity.kind === 'anonymous') return { status: 401, headers: [] };
    return json(200, { authenticated: true, roles: identity.roles });
  }
}

/** True for the one path below `/roles` that an account may ask: its own. */
export function isOwnRolesPath(uri: string, path: string, userName: string | undefined): boolean {
  return userName !== undefined && path === `${uri}/${userName}`;
}
