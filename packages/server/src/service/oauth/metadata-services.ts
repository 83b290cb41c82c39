/** OAuth metadata and client registration (RFC 8414, RFC 9728, RFC 7591; security.md §5). */
import { randomUUID } from 'node:crypto';
import type { HttpRequest } from '../../model/http-request.ts';
import type { Reply } from '../../model/reply.ts';
import type { Service } from '../../model/service.ts';
import { json, oauthError } from '../token/token-service.ts';

const NOT_ALLOWED: Reply = { status: 405, headers: [] };

export interface ServerMetadataOptions {
  /** Undefined: scheme and `Host` of the request. */
  readonly baseUrl: string | undefined;
  readonly authorizeEndpointUri: string;
  readonly tokenEndpointUri: string;
  readonly registrationEndpointUri: string | undefined;
}

/** `/.well-known/oauth-authorization-server` */
export class ServerMetadataService implements Service {
  readonly name = 'oauthAuthorizationServerMetadataService';
  readonly uri = '/.well-known/oauth-authorization-server';
  readonly match = 'prefix';
  readonly secured = false;
  private readonly options: ServerMetadataOptions;

  constructor(options: ServerMetadataOptions) {
    this.options = options;
  }

  handle(request: HttpRequest): Reply {
    if (request.method !== 'GET') return NOT_ALLOWED;
    const { baseUrl, authorizeEndpointUri, tokenEndpointUri, registrationEndpointUri } =
      this.options;
    const base = baseUrl ?? ownBase(request);
    return json(200, {
      issuer: base,
      authorization_endpoint: base + authorizeEndpointUri,
      token_endpoint: base + tokenEndpointUri,
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'password', 'client_credentials'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
      ...(registrationEndpointUri && { registration_endpoint: base + registrationEndpointUri }),
    });
  }
}

/** `/.well-known/oauth-protected-resource[/path]` */
export class ProtectedResourceService implements Service {
  readonly name = 'oauthProtectedResourceMetadataService';
  readonly uri = '/.well-known/oauth-protected-resource';
  readonly match = 'prefix';
  readonly secured = false;
  private readonly baseUrl: string | undefined;

  constructor(options: { readonly baseUrl: string | undefined }) {
    this.baseUrl = options.baseUrl;
  }

  handle(request: HttpRequest): Reply {
    if (request.method !== 'GET') return NOT_ALLOWED;
    const base = this.baseUrl ?? forwardedBase(request) ?? ownBase(request);
    const resource = base + request.rawPath.slice(this.uri.length).replace(/\/$/, '');
    return json(200, { resource, authorization_servers: [base] });
  }
}

/** `POST /register`: any client may; nothing is stored. */
export class ClientRegistrationService implements Service {
  readonly name = 'oauthClientRegistrationService';
  readonly uri: string;
  readonly match = 'prefix';
  readonly secured = false;

  constructor(options: { readonly uri: string }) {
    this.uri = options.uri;
  }

  async handle(request: HttpRequest): Promise<Reply> {
    if (request.method !== 'POST') return NOT_ALLOWED;
    const client = parseObject(await request.body());
    const redirectUris = client?.['redirect_uris'];
    if (!Array.isArray(redirectUris) || redirectUris.length === 0) {
      return oauthError(400, 'invalid_client_metadata', 'redirect_uris is required');
    }
    const method = client?.['token_endpoint_auth_method'];
    const name = client?.['client_name'];
    return json(201, {
      client_id: randomUUID(),
      client_id_issued_at: Math.floor(Date.now() / 1000),
      redirect_uris: redirectUris,
      token_endpoint_auth_method: typeof method === 'string' ? method : 'none',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      ...(typeof name === 'string' && { client_name: name }),
    });
  }
}

function parseObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function ownBase(request: HttpRequest): string {
  return `${request.secure ? 'https' : 'http'}://${request.host}`;
}

function forwardedBase(request: HttpRequest): string | undefined {
  const proto = request.header('x-forwarded-proto');
  const host = request.header('x-forwarded-host');
  return proto && host ? `${proto}://${host}` : undefined;
}
