/**
 * `/authz/explain` and `/authz/dry-run`: which rule decides a request and why, with the rules in
 * force or with others. For accounts with the root role; beyond the reference.
 */
import { QuorateError } from '../../errors/quorate-error.ts';
import type { BsonDocument } from '../../model/bson.ts';
import type { HttpRequest } from '../../model/http-request.ts';
import { ANONYMOUS, type Identity } from '../../model/identity.ts';
import type { AccountStore, ExplainsRules, Explanation } from '../../model/ports.ts';
import type { Reply } from '../../model/reply.ts';
import type { AnyService, Service, ServiceContext } from '../../model/service.ts';
import { parseJson } from '../../representation/json-reader.ts';
import { writeJson } from '../../representation/json-writer.ts';
import { type Question, readQuestion, toSupposedRequest } from './supposed-request.ts';

export interface ExplainOptions {
  readonly uri: string;
  readonly rootRole: string | undefined;
  readonly rules: ExplainsRules;
  /** Undefined: only roles can be asked about. */
  readonly accounts: AccountStore | undefined;
  readonly findService: (path: string) => AnyService | undefined;
}

const MAX_QUESTIONS = 1000;

/** Answers administrators. */
export class ExplainService implements Service {
  readonly name = 'authzExplain';
  readonly uri: string;
  readonly match = 'prefix';
  readonly secured = true;
  private readonly options: ExplainOptions;

  constructor(options: ExplainOptions) {
    this.uri = options.uri;
    this.options = options;
  }

  async handle(
    request: HttpRequest,
    _prepared: unknown,
    { identity }: ServiceContext,
  ): Promise<Reply> {
    const { rootRole } = this.options;
    const isRoot =
      rootRole !== undefined && identity.kind === 'account' && identity.roles.includes(rootRole);
    if (!isRoot) throw new QuorateError('ERR_AUTHZ_FORBIDDEN');
    const rest = request.rawPath.slice(this.uri.length);
    if (rest === '/explain' && request.method === 'GET') {
      return answer(await this.explain(questionOf(request), request, undefined));
    }
    if (rest === '/explain' && request.method === 'POST') {
      return answer(await this.explain(readQuestion(await readBody(request)), request, undefined));
    }
    if (rest === '/dry-run' && request.method === 'POST') return answer(await this.dryRun(request));
    if (rest === '/explain' || rest === '/dry-run') return { status: 405, headers: [] };
    throw new QuorateError('ERR_NOT_FOUND', { message: 'Ask /explain or /dry-run' });
  }

  /** The rules of the body instead of those of MongoDB, for the requests of the body. */
  private async dryRun(request: HttpRequest): Promise<unknown> {
    const text = (await request.body()).toString('utf8');
    const given = (await readBody(request)) as Record<string, unknown>;
    const questions = given['requests'];
    if (!Array.isArray(questions) || questions.length > MAX_QUESTIONS) {
      throw bad(`requests must be an array of at most ${MAX_QUESTIONS}`);
    }
    const parsed = parseJson(text);
    const permissions = parsed instanceof Map ? parsed.get('permissions') : undefined;
    const isArray = Array.isArray(permissions) && permissions.every((one) => one instanceof Map);
    if (!isArray) throw bad('permissions must be an array of permission documents');
    const results: unknown[] = [];
    for (const question of questions) {
      results.push(
        await this.explain(readQuestion(question), request, permissions as BsonDocument[]),
      );
    }
    return { results };
  }

  private async explain(
    question: Question,
    asker: HttpRequest,
    permissions: readonly BsonDocument[] | undefined,
  ): Promise<unknown> {
    const { findService, rules } = this.options;
    const http = toSupposedRequest(question, asker);
    const service = findService(http.rawPath);
    if (service === undefined) throw bad('Nothing answers under that path');
    const identity = await this.identityOf(question);
    // the very steps of a real request, up to the decision
    const prepared: unknown = await service.prepare?.(http);
    const explanation = await rules.explain(http, service, prepared, { identity, permissions });
    return {
      user: question.user ?? null,
      roles: identity.kind === 'account' ? identity.roles : ['$unauthenticated'],
      method: question.method,
      path: question.path,
      service: service.name,
      ...describe(explanation),
    };
  }

  private async identityOf({ user, roles }: Question): Promise<Identity> {
    if (user === undefined && roles === undefined) return ANONYMOUS;
    const account = user === undefined ? undefined : await this.options.accounts?.find(user);
    if (account === undefined && roles === undefined) {
      throw new QuorateError('ERR_NOT_FOUND', { message: `There is no account ${user ?? ''}` });
    }
    return {
      kind: 'account',
      name: user ?? '',
      roles: roles ?? account?.roles ?? [],
      properties: account?.properties ?? new Map([['_id', user ?? '']]),
    };
  }
}

function questionOf({ query }: HttpRequest): Question {
  const roles = query.getAll('role');
  return readQuestion({
    user: query.get('user'),
    ...(roles.length > 0 && { roles }),
    method: query.get('method'),
    path: query.get('path'),
  });
}

async function readBody(request: HttpRequest): Promise<unknown> {
  try {
    const value: unknown = JSON.parse((await request.body()).toString('utf8'));
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    if (error instanceof QuorateError) throw error;
  }
  throw bad('The body must be a JSON object');
}

function bad(message: string): QuorateError {
  return new QuorateError('ERR_REQUEST_BODY', { message });
}

/** Filters are written as MongoDB would get them. */
function describe({ permit, ...rest }: Explanation): Record<string, unknown> {
  if (permit === undefined) return rest;
  const shown = Object.entries(permit).map(([name, value]) => [
    name,
    value instanceof Map ? (JSON.parse(writeJson(value, 'relaxed')) as unknown) : value,
  ]);
  return { ...rest, permit: Object.fromEntries(shown) };
}

function answer(body: unknown): Reply {
  const headers = [['Content-Type', 'application/json']] as const;
  return { status: 200, headers, body: JSON.stringify(body) };
}
