/** Why a request is let through or not: the decision, taken slowly. */
import type { BsonDocument } from '../model/bson.ts';
import type { HttpRequest } from '../model/http-request.ts';
import type { Identity } from '../model/identity.ts';
import type { ExplainsRules, Explanation } from '../model/ports.ts';
import type { AnyService } from '../model/service.ts';
import { AclAuthorizer } from './acl/acl-authorizer.ts';
import type { Permission } from './acl/permission.ts';
import { RankedPermissions } from './acl/select-permission.ts';
import {
  type Allower,
  type AuthorizationRequest,
  toAuthorizationRequest,
  type Vetoer,
} from './authorization.ts';
import { toPermit } from './request-authorizer.ts';

export interface RuleExplainerOptions {
  readonly allowers: readonly Allower[];
  readonly vetoers: readonly Vetoer[];
  readonly rootRole: string | undefined;
  /** Compiles the rules of a dry run; what is invalid is told apart. */
  readonly compile: (documents: readonly BsonDocument[]) => {
    readonly permissions: readonly Permission[];
    readonly invalid: readonly string[];
  };
}

type Step = Explanation['steps'][number];

/** Explains decisions. */
export class RuleExplainer implements ExplainsRules {
  private readonly options: RuleExplainerOptions;

  constructor(options: RuleExplainerOptions) {
    this.options = options;
  }

  async explain(
    http: HttpRequest,
    service: AnyService,
    prepared: unknown,
    asked: {
      readonly identity: Identity;
      readonly permissions?: readonly BsonDocument[] | undefined;
    },
  ): Promise<Explanation> {
    const traits = service.traits?.(http, prepared);
    const request = toAuthorizationRequest(http, asked.identity, traits);
    const veto = this.options.vetoers.find((vetoer) => vetoer.vetoes(request));
    if (veto !== undefined) {
      return { allowed: false, reason: `vetoed by ${veto.name}`, steps: [] };
    }
    if (!service.secured) {
      return { allowed: true, reason: `the service ${service.name} is open`, steps: [] };
    }
    if (http.method === 'OPTIONS') return { allowed: true, reason: 'OPTIONS is open', steps: [] };
    const { allowers, invalid } = this.allowersFor(asked.permissions);
    const steps: Step[] = [];
    for (const allower of allowers) {
      const found = await explainAllower(allower, request, steps);
      if (found !== undefined) return { ...found, steps, ...invalid };
    }
    const isAnonymous = asked.identity.kind === 'anonymous';
    const reason = isAnonymous ? 'no rule for anonymous clients matches' : 'no rule matches';
    return { allowed: false, reason, steps, ...invalid };
  }

  private allowersFor(documents: readonly BsonDocument[] | undefined): {
    readonly allowers: readonly Allower[];
    readonly invalid: { readonly invalid?: readonly string[] };
  } {
    const { allowers, compile, rootRole } = this.options;
    if (documents === undefined) return { allowers, invalid: {} };
    const { permissions, invalid } = compile(documents);
    const ranked = new RankedPermissions(permissions, 'mongo');
    const options = { name: 'mongoAclAuthorizer', rootRole };
    const supposed = new AclAuthorizer({ current: () => ranked }, options);
    const others = allowers.filter(({ name }) => name !== supposed.name);
    return { allowers: [...others, supposed], invalid: invalid.length > 0 ? { invalid } : {} };
  }
}

async function explainAllower(
  allower: Allower,
  request: AuthorizationRequest,
  steps: Step[],
): Promise<Omit<Explanation, 'steps'> | undefined> {
  if (!(allower instanceof AclAuthorizer)) {
    const decided = await allower.authorize(request);
    return decided === undefined
      ? undefined
      : { allowed: true, reason: `${allower.name} allows it` };
  }
  const { isRoot, judged } = await allower.explain(request);
  if (isRoot) return { allowed: true, reason: `the root role of ${allower.name}` };
  for (const { role, permission, outcome } of judged) {
    const { id, description, priority, predicate } = permission;
    steps.push({
      authorizer: allower.name,
      role,
      permission: id,
      predicate: predicate.text,
      outcome,
      ...(priority !== undefined && { priority }),
      ...(description !== undefined && { description }),
    });
  }
  const last = judged.at(-1);
  if (last?.outcome !== 'match') return undefined;
  const permit = toPermit(last.permission, request);
  return { allowed: true, reason: `permission ${last.permission.id}`, permit };
}
