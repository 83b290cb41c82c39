/** The decision on one request (security.md §8.1), and the permit that comes of it. */
import { QuorateError } from '../errors/quorate-error.ts';
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import type { HttpRequest } from '../model/http-request.ts';
import type { Identity } from '../model/identity.ts';
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
  toAuthorizationRequest,
  type Vetoer,
} from './authorization.ts';
import { OPEN_PERMIT } from './open-permit.ts';

export interface RequestAuthorizerOptions {
  readonly allowers: readonly Allower[];
  readonly vetoers: readonly Vetoer[];
  /** The `WWW-Authenticate` headers of a 401. */
  readonly challenges: (request: HttpRequest) => readonly (readonly [string, string])[];
  /** Claims that `@user` does not show (security.md §8.7). */
  readonly hiddenClaims?: readonly string[];
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
  async authorize(
    http: HttpRequest,
    identity: Identity,
    traits: RequestTraits | undefined,
    secured: boolean,
  ): Promise<Permit> {
    const request = toAuthorizationRequest(http, identity, traits);
    const { allowers, vetoers } = this.options;
    const isAnonymous = identity.kind === 'anonymous';
    if (secured && isAnonymous && (await this.requiresAuthentication(request))) {
      throw new QuorateError('ERR_AUTH_REQUIRED', { headers: this.options.challenges(http) });
    }
    if (vetoers.some((vetoer) => vetoer.vetoes(request))) {
      throw new QuorateError('ERR_AUTHZ_FORBIDDEN');
    }
    if (!secured || http.method === 'OPTIONS') return PLAIN_PERMIT;
    for (const allower of allowers) {
      if (isAnonymous && (await allower.requiresAuthentication(request))) continue;
      const decided = await allower.authorize(request);
      if (decided === 'everything') return OPEN_PERMIT;
      if (decided !== undefined) return toPermit(decided, request, this.options.hiddenClaims ?? []);
    }
    throw new QuorateError('ERR_AUTHZ_FORBIDDEN');
  }

  private async requiresAuthentication(request: AuthorizationRequest): Promise<boolean> {
    const { allowers } = this.options;
    if (request.http.method === 'OPTIONS' || allowers.length === 0) return false;
    for (const allower of allowers) {
      if (!(await allower.requiresAuthentication(request))) return false;
    }
    return true;
  }
}

function toPermit(
  { mongo }: Permission,
  request: AuthorizationRequest,
  hiddenClaims: readonly string[],
): Permit {
  if (mongo === NO_MONGO_PERMISSIONS) return PLAIN_PERMIT;
  const resolve = (
    document: BsonDocument | undefined,
    how: (document: BsonDocument, variables: PermissionVariables) => BsonDocument,
  ) => document && how(document, variablesOf(request, mongo, hiddenClaims));
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

function variablesOf(
  request: AuthorizationRequest,
  mongo: MongoPermissions,
  hiddenClaims: readonly string[],
): PermissionVariables {
  const { http, identity, traits, exchange } = request;
  const user =
    identity.kind === 'account'
      ? new Map([...identity.properties].filter(([name]) => !hiddenClaims.includes(name)))
      : undefined;
  return {
    user,
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
