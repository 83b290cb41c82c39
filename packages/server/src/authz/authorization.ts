/** May they: vetoers first, then allowers (security.md §8.1). */
import type { BsonValue } from '../model/bson.ts';
import type { HttpRequest } from '../model/http-request.ts';
import type { Identity } from '../model/identity.ts';
import type { RequestTraits } from '../model/request-traits.ts';
import type { AuthorizationExchange } from './acl/exchange-attribute.ts';
import type { Permission } from './acl/permission.ts';

/** The role of clients that nothing authenticated. */
export const ANONYMOUS_ROLE = '$unauthenticated';

/** A request as authorization sees it. */
export interface AuthorizationRequest {
  readonly http: HttpRequest;
  readonly identity: Identity;
  /** What the MongoDB service says of its request; undefined for other services. */
  readonly traits: RequestTraits | undefined;
  readonly exchange: AuthorizationExchange;
  /** Reads the body for the predicates that look at it; a broken one counts as none. */
  loadBody(): Promise<void>;
}

/** The permission that lets a request through, `everything`, or undefined: it is not let through. */
export type Decision = Permission | 'everything' | undefined;

/** Lets requests through; one that does is enough. */
export interface Allower {
  readonly name: string;
  /** Undefined for an anonymous client that has to authenticate first. */
  authorize(request: AuthorizationRequest): Decision | Promise<Decision>;
  /** True when an anonymous client has to authenticate before this allower can let it through. */
  requiresAuthentication(request: AuthorizationRequest): boolean | Promise<boolean>;
}

/** Refuses requests, whoever asks. */
export interface Vetoer {
  readonly name: string;
  vetoes(request: AuthorizationRequest): boolean;
}

/** Allows everything, to everybody or to every account (security.md §8.1). */
export class FullAuthorizer implements Allower {
  readonly name = 'fullAuthorizer';
  private readonly authenticationRequired: boolean;

  constructor(options: { readonly authenticationRequired: boolean }) {
    this.authenticationRequired = options.authenticationRequired;
  }

  authorize({ identity }: AuthorizationRequest): Decision {
    const isMissing = this.authenticationRequired && identity.kind === 'anonymous';
    return isMissing ? undefined : 'everything';
  }

  requiresAuthentication(): boolean {
    return this.authenticationRequired;
  }
}

/** Lets every account see its own roles (security.md §6). */
export class OwnRolesAllower implements Allower {
  readonly name = 'ownRoles';
  private readonly uri: string;

  constructor(uri: string) {
    this.uri = uri;
  }

  authorize({ http, identity, exchange }: AuthorizationRequest): Decision {
    const isOwn = identity.kind === 'account' && exchange.path === `${this.uri}/${identity.name}`;
    return isOwn && http.method === 'GET' ? 'everything' : undefined;
  }

  requiresAuthentication(): boolean {
    return true;
  }
}

/** The request in the shape that predicates read. */
export function toAuthorizationRequest(
  http: HttpRequest,
  identity: Identity,
  traits: RequestTraits | undefined,
): AuthorizationRequest {
  const exchange = new RequestExchange(http, identity, traits);
  return { http, identity, traits, exchange, loadBody: () => exchange.loadBody() };
}

class RequestExchange implements AuthorizationExchange {
  body: BsonValue | undefined = undefined;
  readonly authenticationRequired = true;
  private readonly http: HttpRequest;
  private readonly identity: Identity;
  private readonly traits: RequestTraits | undefined;
  private decodedPath: string | undefined;
  private loading: Promise<void> | undefined;

  constructor(http: HttpRequest, identity: Identity, traits: RequestTraits | undefined) {
    this.http = http;
    this.identity = identity;
    this.traits = traits;
  }

  get method(): string {
    return this.http.method;
  }
  get path(): string {
    this.decodedPath ??= decodePath(this.http.rawPath);
    return this.decodedPath;
  }
  get rawPath(): string {
    return this.http.rawPath;
  }
  get rawQuery(): string {
    return this.http.rawQuery;
  }
  get userName(): string | undefined {
    return this.identity.kind === 'account' ? this.identity.name : undefined;
  }
  get secure(): boolean {
    return this.http.secure;
  }
  get httpVersion(): string {
    return this.http.httpVersion;
  }
  get host(): string {
    return this.http.host;
  }
  get remoteAddress(): string {
    return this.http.remoteAddress;
  }
  get localAddress(): string {
    return this.http.localAddress;
  }
  get localPort(): number {
    return this.http.localPort;
  }
  get receivedAtMs(): number {
    return this.http.receivedAtMs;
  }
  get hasBsonBody(): boolean {
    return this.traits !== undefined;
  }

  header(name: string): string | undefined {
    return this.http.header(name);
  }

  cookie(name: string): string | undefined {
    const members = (this.http.header('cookie') ?? '').split(';').map((member) => member.trim());
    return members.findLast((member) => member.startsWith(`${name}=`))?.slice(name.length + 1);
  }

  queryNames(): readonly string[] {
    return this.http.query.names();
  }

  queryValue(name: string): string | undefined {
    return this.http.query.get(name);
  }

  userProperty(path: string): BsonValue | undefined {
    if (this.identity.kind === 'anonymous') return undefined;
    let value: BsonValue | undefined = this.identity.properties;
    for (const name of path.split('.')) {
      if (value instanceof Map) value = value.get(name);
      else if (Array.isArray(value) && /^\d+$/.test(name)) value = value[Number(name)];
      else return undefined;
    }
    return value;
  }

  loadBody(): Promise<void> {
    this.loading ??= this.readBody();
    return this.loading;
  }

  private async readBody(): Promise<void> {
    this.body = await this.traits?.readBody();
  }
}

/**
 * The path as the services will understand it: rules must not be passed by spelling a path in
 * another way. A path that cannot be decoded stays as it is; the services refuse it.
 */
export function decodePath(rawPath: string): string {
  if (!rawPath.includes('%') && !rawPath.includes('//')) return rawPath;
  try {
    return decodeURIComponent(rawPath).replace(/\/{2,}/g, '/');
  } catch {
    return rawPath;
  }
}
