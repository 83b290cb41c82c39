/** `quorate can`: asks a running node which rule decides, and prints its answer for people. */
import { readFileSync } from 'node:fs';
import { QuorateError } from '../errors/quorate-error.ts';

/** What is asked. */
export interface CanQuestion {
  /** `-`: nobody. */
  readonly user: string;
  readonly method: string;
  readonly path: string;
  readonly url: string;
  /** File with `permissions`: what they would decide, instead of those in force. */
  readonly rules: string | undefined;
}

interface Answer {
  readonly allowed: boolean;
  readonly reason: string;
  readonly roles: readonly string[];
  readonly steps: readonly {
    readonly role: string;
    readonly permission: string;
    readonly predicate: string;
    readonly outcome: string;
  }[];
  readonly permit?: Readonly<Record<string, unknown>>;
  readonly invalid?: readonly string[];
}

/**
 * Prints the answer.
 *
 * @param environment - `QUORATE_TOKEN`, or `QUORATE_USER` (default `admin`) and `QUORATE_PASSWORD`: an account with the root role
 * @returns the exit code: 0 allowed, 2 not allowed
 * @throws ERR_CONFIG_INVALID when the node cannot be asked
 */
export async function runCan(
  question: CanQuestion,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const answer = await ask(question, authorizationOf(environment));
  const { allowed, reason, roles, steps, permit, invalid = [] } = answer;
  const lines = [
    `${allowed ? 'allowed' : 'not allowed'}: ${reason}`,
    `  roles: ${roles.join(', ') || 'none'}`,
    ...steps.map(
      (step) => `  ${step.role}: ${step.permission}: ${step.outcome}: ${step.predicate}`,
    ),
    ...Object.entries(permit ?? {})
      .filter(([, value]) => value !== false)
      .map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`),
    ...invalid.map((text) => `  ${text}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return allowed ? 0 : 2;
}

function authorizationOf(environment: Readonly<Record<string, string | undefined>>): string {
  const { QUORATE_TOKEN: token, QUORATE_USER: user = 'admin' } = environment;
  if (token !== undefined) return `Bearer ${token}`;
  const password = environment['QUORATE_PASSWORD'];
  if (password === undefined) {
    throw new QuorateError('ERR_CONFIG_INVALID', {
      message: 'quorate can needs an account with the root role',
      hint: 'Set QUORATE_PASSWORD (and QUORATE_USER, if it is not admin), or QUORATE_TOKEN',
    });
  }
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

async function ask(question: CanQuestion, authorization: string): Promise<Answer> {
  const { user, method, path, url, rules } = question;
  const asked = { ...(user === '-' ? {} : { user }), method, path };
  const body = rules === undefined ? asked : { ...readRules(rules), requests: [asked] };
  const target = `${url.replace(/\/$/, '')}/authz/${rules === undefined ? 'explain' : 'dry-run'}`;
  const reply = await fetch(target, {
    method: 'POST',
    headers: { Authorization: authorization, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  }).catch((cause: unknown) => {
    throw new QuorateError('ERR_CONFIG_INVALID', {
      message: `${url} does not answer`,
      hint: 'Name a running node: --url http://HOST:PORT',
      cause,
    });
  });
  const text = await reply.text();
  if (!reply.ok) {
    throw new QuorateError('ERR_CONFIG_INVALID', {
      message: `${target} answers ${reply.status}${text === '' ? '' : `: ${text}`}`,
      hint: 'The account that asks must have the root role',
    });
  }
  const answer = JSON.parse(text) as Answer & { readonly results?: readonly Answer[] };
  return answer.results?.[0] ?? answer;
}

function readRules(file: string): { readonly permissions: unknown } {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const permissions = Array.isArray(value)
      ? value
      : (value as { permissions?: unknown } | null)?.permissions;
    if (Array.isArray(permissions)) return { permissions };
  } catch (cause) {
    throw new QuorateError('ERR_CONFIG_INVALID', {
      message: `${file} is not readable JSON`,
      cause,
    });
  }
  throw new QuorateError('ERR_CONFIG_INVALID', { message: `${file} holds no list of permissions` });
}
