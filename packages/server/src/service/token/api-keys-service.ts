/** `/apikeys`: an account makes, lists and deletes its own keys for programs. */
import type { HttpRequest } from '../../model/http-request.ts';
import type { AccountIdentity } from '../../model/identity.ts';
import type { Reply } from '../../model/reply.ts';
import type { Service, ServiceContext } from '../../model/service.ts';
import type { ApiKey, ApiKeyStore } from '../../mongo/api-key-store.ts';
import { json, unauthorized } from './token-service.ts';

const DAY_MS = 86_400_000;
const MAX_LABEL = 200;

export interface ApiKeysOptions {
  readonly uri: string;
  readonly maxTtlDays: number;
}

/** The keys of whoever asks, and of nobody else. */
export class ApiKeysService implements Service {
  readonly name = 'apiKeys';
  readonly uri: string;
  readonly match = 'prefix';
  readonly secured = false;
  private readonly keys: ApiKeyStore;
  private readonly maxTtlDays: number;

  constructor(keys: ApiKeyStore, options: ApiKeysOptions) {
    this.keys = keys;
    this.uri = options.uri;
    this.maxTtlDays = options.maxTtlDays;
  }

  async handle(
    request: HttpRequest,
    _prepared: unknown,
    { identity }: ServiceContext,
  ): Promise<Reply> {
    if (identity.kind === 'anonymous') return unauthorized(request);
    const id = request.rawPath.slice(this.uri.length + 1);
    if (request.method === 'DELETE' && id !== '') {
      const isDeleted = await this.keys.delete(identity.name, id);
      return { status: isDeleted ? 204 : 404, headers: [] };
    }
    if (id !== '') return { status: 405, headers: [] };
    if (request.method === 'GET') {
      return json(200, (await this.keys.list(identity.name)).map(describe));
    }
    if (request.method !== 'POST') return { status: 405, headers: [] };
    return this.create(identity, await request.body());
  }

  private async create(identity: AccountIdentity, body: Buffer): Promise<Reply> {
    const wish = readWish(body, this.maxTtlDays);
    if (typeof wish === 'string') return json(400, { msg: wish });
    const isMore = wish.roles?.some((role) => !identity.roles.includes(role)) === true;
    if (isMore) return json(403, { msg: 'a key cannot have roles that its owner lacks' });
    // made by a key, it is no stronger than that key
    const roles = wish.roles ?? identity.roles;
    const { key, text } = await this.keys.create({
      owner: identity.name,
      label: wish.label,
      roles,
      expiresAt: new Date(Date.now() + wish.ttlDays * DAY_MS),
    });
    return json(201, { key: text, ...describe(key) }, [['Cache-Control', 'no-store']]);
  }
}

interface Wish {
  readonly label: string;
  readonly roles: readonly string[] | undefined;
  readonly ttlDays: number;
}

/** What is wished for, or what is wrong with the wish. */
function readWish(body: Buffer, maxTtlDays: number): Wish | string {
  let value: unknown = {};
  try {
    if (body.length > 0) value = JSON.parse(body.toString('utf8'));
  } catch {
    return 'the body is not valid JSON';
  }
  if (typeof value !== 'object' || value === null) return 'the body must be a JSON object';
  const {
    label = '',
    roles,
    ttlDays = Math.min(90, maxTtlDays),
  } = value as Record<string, unknown>;
  if (typeof label !== 'string' || label.length > MAX_LABEL) return 'label must be a short text';
  if (typeof ttlDays !== 'number' || !(ttlDays > 0 && ttlDays <= maxTtlDays)) {
    return `ttlDays must be a number up to ${maxTtlDays}`;
  }
  if (roles === undefined) return { label, roles, ttlDays };
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string')) {
    return 'roles must be an array of texts';
  }
  return { label, roles, ttlDays };
}

function describe({ id, label, roles, createdAt, expiresAt, lastUsedAt }: ApiKey) {
  return { id, label, roles, createdAt, expiresAt, lastUsedAt };
}
