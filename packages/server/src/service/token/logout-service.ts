import type { HttpRequest } from '../../model/http-request.ts';
import type { Reply } from '../../model/reply.ts';
import type { Service } from '../../model/service.ts';
import { type AuthCookieSettings, formatRemovedCookie } from './auth-cookie.ts';

/** `POST /logout`: the browser forgets its cookie; the token itself stays valid (security.md §2.5). */
export class LogoutService implements Service {
  readonly name = 'authCookieRemover';
  readonly uri: string;
  readonly match = 'prefix';
  readonly secured: boolean;
  private readonly cookie: AuthCookieSettings;

  constructor(options: { uri: string; secured: boolean; cookie: AuthCookieSettings }) {
    this.uri = options.uri;
    this.secured = options.secured;
    this.cookie = options.cookie;
  }

  handle(request: HttpRequest): Reply {
    if (request.method !== 'POST') return { status: 405, headers: [] };
    return { status: 200, headers: [['Set-Cookie', formatRemovedCookie(this.cookie)]] };
  }
}
