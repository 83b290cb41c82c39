/** The decision on one request (security.md §8.1), and the permit that comes of it. */
import { QuorateError } from '../errors/quorate-error.ts';
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import type { HttpRequest } from '../model/http-request.ts';
import type { AccountIdentity, Identity } from '../model/identity.ts';
import type { Permit } from '../model/permit.ts';
import type { RequestTraits } from '../model/request-traits.ts';
import { type MongoPermissions, NO_MONGO_PERMISSIONS, type Permission } from './acl/permission.ts';
import {
  type PermissionVariables,
  resolveFilter,
  resolveVariables,
} from './acl/permission-variables.ts';
import {
  type Allower,
  type AuthorizationRequest,
  type Decision,
  toAuthorizationRequest,
  type Vetoer,
} from './authorization.ts';
import { OPEN_PERMIT } from './open-permit.ts';

export interface RequestAuthorizerOptions {
  readonly allowers: readonly Allower[];
  readonly vetoers: readonly Vetoer[];
  /** Told what decided: a permission, an authorizer or a vetoer. */
  readonly decided?: ((http: HttpRequest, by: string) => void) | undefined;
  /** The `WWW-Authenticate` headers of a 401. */
  readonly challenges: (request: HttpRequest) => readonly (readonly [string, string])[];
}

/** Nothing is allowed but what needs no flag; for services that touch no documents. */
const PLAIN_PERMIT = {
  allowManagementRequests: false,
  allowBulkPatch: false,
  allowBulkDelete: false,
  allowWriteMode: false,
} as Permit;

/** Decides requests by vetoers and allowers. */
export class RequestAuthorizer {
  private readonly options: RequestAuthorizerOptions;

  constructor(options: RequestAuthorizerOptions) {
    this.options = options;
  }

  /**
   * The permit of an allowed request.
   *
   * @param secured - false: only vetoers count
   * @throws ERR_AUTH_REQUIRED, ERR_AUTHZ_FORBIDDEN
   */
  authorize(
    http: HttpRequest,
    identity: Identity,
    traits: RequestTraits | undefined,
    secured: boolean,
  ): Permit | Promise<Permit> {
    const request = toAuthorizationRequest(http, identity, traits);
    if (!secured || http.method === 'OPTIONS') {
      this.refuseVetoed(request);
      return secured ? PLAIN_PERMIT : OPEN_PERMIT;
    }
    // whoever has to authenticate hears that first
    if (identity.kind === 'account') this.refuseVetoed(request);
    const decided = this.decide(request, 0);
    return decided instanceof Promise
      ? decided.then((decision) => this.conclude(request, decision))
      : this.conclude(request, decided);
  }

  /** The first decision of an allower, from the given one on; a promise only where one has to wait. */
  private decide(request: AuthorizationRequest, from: number): Decision | Promise<Decision> {
    const { allowers } = this.options;
    for (let i = from; i < allowers.length; i += 1) {
      const allower = allowers[i];
      const decided = allower?.authorize(request);
      if (decided instanceof Promise) {
        return decided.then((decision) =>
          decision === undefined
            ? this.decide(request, i + 1)
            : this.note(request, allower?.name, decision),
        );
      }
      if (decided !== undefined) return this.note(request, allower?.name, decided);
    }
    return undefined;
  }

  private note(request: AuthorizationRequest, allower: string | undefined, decision: Decision) {
    const { decided } = this.options;
    if (decided === undefined) return decision;
    const rule = typeof decision === 'object' ? ` ${decision.id}` : '';
    decided(request.http, `${allower}${rule}`);
    return decision;
  }

  private conclude(request: AuthorizationRequest, decision: Decision): Permit | Promise<Permit> {
    if (decision === undefined) return this.refuse(request);
    if (request.identity.kind === 'anonymous') this.refuseVetoed(request);
    if (decision === 'everything') return OPEN_PERMIT;
    return toPermit(decision, request);
  }

  private async refuse(request: AuthorizationRequest): Promise<never> {
    const { allowers, challenges } = this.options;
    let isRequired = request.identity.kind === 'anonymous' && allowers.length > 0;
    for (const allower of allowers) {
      if (!isRequired) break;
      isRequired = await allower.requiresAuthentication(request);
    }
    if (isRequired) {
      throw new QuorateError('ERR_AUTH_REQUIRED', { headers: challenges(request.http) });
    }
    throw new QuorateError('ERR_AUTHZ_FORBIDDEN');
  }

  /** A vetoer that fails vetoes (security.md §1.2). */
  private refuseVetoed(request: AuthorizationRequest): void {
    for (const vetoer of this.options.vetoers) {
      if (!vetoesOrFails(vetoer, request)) continue;
      this.options.decided?.(request.http, vetoer.name);
      throw new QuorateError('ERR_AUTHZ_FORBIDDEN');
    }
  }
}

function vetoesOrFails(vetoer: Vetoer, request: AuthorizationRequest): boolean {
  try {
    return vetoer.vetoes(request);
  } catch {
    return true;
  }
}

/** The permit that a permission gives one request. */
export function toPermit({ mongo }: Permission, request: AuthorizationRequest): Permit {
  if (mongo === NO_MONGO_PERMISSIONS) return PLAIN_PERMIT;
  const resolve = (
    document: BsonDocument | undefined,
    how: (document: BsonDocument, variables: PermissionVariables) => BsonDocument,
  ) => document && how(document, variablesOf(request, mongo));
  const readFilter = resolve(mongo.readFilter, resolveFilter);
  const writeFilter = resolve(mongo.writeFilter, resolveFilter);
  const mergeRequest = resolve(mongo.mergeRequest, resolveVariables);
  const { projectResponse } = mongo;
  return {
    allowManagementRequests: mongo.allowManagementRequests,
    allowBulkPatch: mongo.allowBulkPatch,
    allowBulkDelete: mongo.allowBulkDelete,
    allowWriteMode: mongo.allowWriteMode,
    ...(readFilter && { readFilter }),
    ...(writeFilter && { writeFilter }),
    ...(mergeRequest && { mergeRequest }),
    ...(projectResponse && { projectResponse }),
  } as Permit;
}

function variablesOf(request: AuthorizationRequest, mongo: MongoPermissions): PermissionVariables {
  const { http, identity, traits, exchange } = request;
  return {
    user: identity.kind === 'account' ? withoutClaims(identity) : undefined,
    userProperties: identity.kind === 'account' ? identity.properties : undefined,
    userName: exchange.userName,
    roles: identity.kind === 'account' ? identity.roles : [],
    receivedAtMs: http.receivedAtMs,
    filter: traits?.filter ?? new Map(),
    request: describeRequest(request),
    body: exchange.body,
    mongoPermissions: describePermissions(mongo),
    queryValue: (name) => exchange.queryValue(name),
  };
}

const HIDDEN_CLAIMS: ReadonlySet<string> = new Set(['exp', 'iss', 'sub']);

/** `@user` does not show what belongs to the token and not to the account (security.md §8.7). */
function withoutClaims({ properties, hasToken }: AccountIdentity): BsonDocument {
  if (hasToken !== true) return properties;
  return new Map([...properties].filter(([name]) => !HIDDEN_CLAIMS.has(name)));
}

function describeRequest({ http, traits, exchange }: AuthorizationRequest): BsonDocument {
  return new Map<string, BsonValue>([
    ['db', traits?.databaseName ?? null],
    ['collection', traits?.collectionName ?? null],
    ['_id', traits?.id ?? null],
    ['resourceType', traits?.resourceType ?? null],
    ['userName', exchange.userName ?? null],
    ['epochTimeStamp', new Date(Math.floor(http.receivedAtMs / 1000) * 1000)],
    ['dateTime', formatLogTime(http.receivedAtMs)],
    ['localIp', http.localAddress],
    ['localPort', String(http.localPort)],
    ['localServerName', http.host.replace(/:\d+$/, '')],
    ['queryString', http.rawQuery === '' ? '' : `?${http.rawQuery}`],
    ['relativePath', exchange.path],
    ['remoteIp', http.remoteAddress],
    ['method', http.method],
    ['protocol', `HTTP/${http.httpVersion}`],
  ]);
}

/** The members of `@mongoPermissions`; null where nothing is set. */
export function describePermissions(mongo: MongoPermissions | Permit): BsonDocument {
  return new Map<string, BsonValue>([
    ['allowManagementRequests', mongo.allowManagementRequests],
    ['allowBulkPatch', mongo.allowBulkPatch],
    ['allowBulkDelete', mongo.allowBulkDelete],
    ['allowWriteMode', mongo.allowWriteMode],
    ['readFilter', mongo.readFilter ?? null],
    ['writeFilter', mongo.writeFilter ?? null],
  ]);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `[23/Nov/2026:05:45:03 +0000]` */
function formatLogTime(atMs: number): string {
  const time = new Date(atMs);
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${two(time.getUTCDate())}/${MONTHS[time.getUTCMonth()]}/${time.getUTCFullYear()}`;
  return `[${day}:${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} +0000]`;
}
