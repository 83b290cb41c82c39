/** Conformance cases about who may do what: rules, one request, the specified answer. */
import { expect, it } from 'vitest';
import { basic, bearer } from './jwt.ts';
import { headerValues, send, type WireReply } from './raw-http.ts';

/** A permission document; `{r}` is the role that nobody but this row's user has. */
export interface AclEntry {
  readonly predicate: string;
  /** Default `["{r}"]`. */
  readonly roles?: readonly unknown[];
  readonly priority?: number;
  readonly mongo?: unknown;
}

/** One case. `{db}`, `{c}`, `{u}`, `{r}`: names of the row's own database, collection, user and role. */
export interface SecurityRow {
  /** A sentence about behaviour. */
  readonly name: string;
  /** Chapter of security.md. */
  readonly chapter: string;
  /** Accounts made before; `{u}` has the password `pass-{u}`. */
  readonly accounts?: readonly Readonly<Record<string, unknown>>[];
  readonly acl?: readonly AclEntry[];
  /** Requests sent by the administrator before; each must succeed. */
  readonly given?: readonly string[];
  /** Who asks: `user` by a token, `password` by {u}'s password, `basic:name:password`, `admin`, or an `Authorization` value; nobody by default. */
  readonly as?: string;
  /** Claims of `user` beyond the name and the role `{r}`. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly request: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A form body. */
  readonly form?: string;
  /** Either the status, or whether the request got past the guard. */
  readonly status?: number;
  readonly allowed?: boolean;
  readonly replyHeaders?: Readonly<Record<string, string | RegExp | null>>;
  readonly text?: string | RegExp;
  readonly body?: unknown;
  readonly bodyHas?: unknown;
  /** What the administrator sees afterwards. */
  readonly after?: readonly {
    readonly request: string;
    readonly status?: number;
    readonly body?: unknown;
    readonly bodyHas?: unknown;
  }[];
}

export type SecurityTable = readonly SecurityRow[];

/** The administrator of the servers under test. */
export const ADMIN = basic('admin', 'secret');

let serial = 0;
const run = `${Date.now().toString(36)}${process.pid}`;

function fill<T>(value: T, names: ReadonlyMap<string, string>): T {
  if (typeof value === 'string') {
    let text: string = value;
    for (const [name, replacement] of names) text = text.replaceAll(name, replacement);
    return text as T;
  }
  if (value instanceof RegExp) return new RegExp(fill(value.source, names), value.flags) as T;
  if (value === null || typeof value !== 'object' || 'asymmetricMatch' in value) return value;
  if (Array.isArray(value)) return value.map((item) => fill(item, names)) as T;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [fill(key, names), fill(member, names)]),
  ) as T;
}

/** Sends `METHOD path [body]`. */
export function ask(
  baseUrl: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
  form?: string,
): Promise<WireReply> {
  const match = /^(\S+) (\S+)(?: ([\s\S]*))?$/.exec(text);
  if (match === null) throw new Error(`not a request: ${text}`);
  const [, method = '', path = '', inline] = match;
  const body = form ?? inline;
  const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  return send(baseUrl, {
    method,
    path: path.replace(/[^\u0021-\u007e]|["<>\\^`{|}]/g, (char) => encodeURIComponent(char)),
    headers: {
      ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
      ...(body === undefined || hasType ? {} : { 'Content-Type': type }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
}

/** The same as the administrator, and it must succeed. */
export async function command(baseUrl: string, text: string): Promise<WireReply> {
  const reply = await ask(baseUrl, text, { Authorization: ADMIN });
  expect(reply.status, `${text}: ${reply.body.toString()}`).toBeLessThan(400);
  return reply;
}

async function runRow(baseUrl: string, written: SecurityRow): Promise<void> {
  serial += 1;
  const suffix = `${serial}x${run}`;
  const names = new Map([
    ['{db}', `sec${run}`],
    ['{c}', `c${suffix}`],
    ['{u}', `u${suffix}`],
    ['{r}', `r${suffix}`],
  ]);
  const row = fill(written, names);
  await command(baseUrl, fill('PUT /{db}', names));
  await command(baseUrl, fill('PUT /{db}/{c}', names));
  for (const account of row.accounts ?? []) {
    const document = fill({ _id: '{u}', password: 'pass-{u}', roles: ['{r}'], ...account }, names);
    await command(baseUrl, `POST /restheart/users?wm=upsert ${JSON.stringify(document)}`);
  }
  for (const [i, entry] of (row.acl ?? []).entries()) {
    const document = { _id: fill(`{r}-${i}`, names), roles: [names.get('{r}')], ...entry };
    await command(baseUrl, `POST /restheart/acl ${JSON.stringify(document)}`);
  }
  for (const text of row.given ?? []) await command(baseUrl, text);
  const authorization = authorizationOf(row, names);
  const headers = { ...(authorization && { Authorization: authorization }), ...row.headers };
  const reply = await ask(baseUrl, row.request, headers, row.form);
  const seen = `${reply.status} ${reply.body.toString()}`;
  if (row.allowed !== undefined) expect(![401, 403].includes(reply.status), seen).toBe(row.allowed);
  if (row.status !== undefined) expect(reply.status, seen).toBe(row.status);
  checkReply(row, reply);
  for (const { request, status = 200, ...wanted } of row.after ?? []) {
    const after = await ask(baseUrl, request, { Authorization: ADMIN });
    expect(after.status, `${request}: ${after.body.toString()}`).toBe(status);
    checkBody(wanted, after);
  }
}

function authorizationOf(
  { as, claims }: SecurityRow,
  names: ReadonlyMap<string, string>,
): string | undefined {
  const user = names.get('{u}') ?? '';
  if (as === 'user') return bearer(user, [names.get('{r}') ?? ''], claims);
  if (as === 'password') return basic(user, `pass-${user}`);
  const pair = /^basic:([^:]*):(.*)$/s.exec(as ?? '');
  if (pair) return basic(pair[1] ?? '', pair[2] ?? '');
  return as === 'admin' ? ADMIN : as;
}

/** Compares status-independent parts of an answer. */
export function checkReply(
  row: Pick<SecurityRow, 'replyHeaders' | 'text' | 'body' | 'bodyHas'>,
  reply: WireReply,
): void {
  for (const [name, expected] of Object.entries(row.replyHeaders ?? {})) {
    const values = headerValues(reply, name, expected !== null);
    if (expected === null) expect(values, name).toEqual([]);
    else if (typeof expected === 'string') expect(values.join('\n'), name).toBe(expected);
    else expect(values.join('\n'), name).toMatch(expected);
  }
  const text = reply.body.toString();
  if (typeof row.text === 'string') expect(text).toBe(row.text);
  else if (row.text !== undefined) expect(text).toMatch(row.text);
  checkBody(row, reply);
}

function checkBody(wanted: { body?: unknown; bodyHas?: unknown }, reply: WireReply): void {
  const text = reply.body.toString();
  if (wanted.body !== undefined) expect(JSON.parse(text)).toEqual(wanted.body);
  if (wanted.bodyHas !== undefined) {
    expect(JSON.parse(text)).toMatchObject(wanted.bodyHas as Record<string, unknown>);
  }
}

/** One test a row. */
export function testSecurityRows(baseUrl: () => string, rows: SecurityTable): void {
  for (const row of rows) it(`${row.name} (${row.chapter})`, () => runRow(baseUrl(), row));
}

/** Sections of a server with accounts and rules in MongoDB, whose administrator is `ADMIN`. */
export const MONGO_SECURITY = `mongoRealmAuthenticator:
  bcrypt-complexity: 4
  create-user-document: '{"_id":"admin","password":"$2a$04$WbMCvCxun6L9WdZyhnaD5OzYnU15uNObjX/Igoy43ujQZZhhOdIlm","roles":["admin"]}'
jwtConfigProvider:
  key: a-key-for-tests-of-at-least-32-characters
`;
