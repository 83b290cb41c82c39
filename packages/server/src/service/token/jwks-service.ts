import type { HttpRequest } from '../../model/http-request.ts';
import type { Reply } from '../../model/reply.ts';
import type { Service } from '../../model/service.ts';
import { json } from './token-service.ts';

/** `/.well-known/jwks.json`: public keys for those who verify our tokens themselves (RFC 7517 §5). */
export class JwksService implements Service {
  readonly name = 'jwks';
  readonly uri: string;
  readonly match = 'exact';
  readonly secured = false;
  private readonly publicKeys: () => readonly unknown[];

  constructor(uri: string, publicKeys: () => readonly unknown[]) {
    this.uri = uri;
    this.publicKeys = publicKeys;
  }

  handle(request: HttpRequest): Reply {
    if (request.method !== 'GET') return { status: 405, headers: [] };
    return json(200, { keys: this.publicKeys() }, [['Cache-Control', 'public, max-age=60']]);
  }
}
