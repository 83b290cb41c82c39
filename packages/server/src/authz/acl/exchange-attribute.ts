/**
 * Exchange attributes: the parts of a request that a predicate's values may name, as `%u`,
 * `%{i,Header}` or `${variable}` (security.md §8.4).
 */
import type { BsonValue } from '../../model/bson.ts';

/** What predicates ask of a request. */
export interface PredicateExchange {
  readonly method: string;
  /** Percent-decoded once, without the query; starts with `/`. */
  readonly path: string;
  /** As it was sent, without the query. */
  readonly rawPath: string;
  /** Without `?`, undecoded. */
  readonly rawQuery: string;
  readonly userName: string | undefined;
  readonly secure: boolean;
  readonly httpVersion: string;
  readonly host: string;
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly receivedAtMs: number;
  header(name: string): string | undefined;
  cookie(name: string): string | undefined;
  queryNames(): readonly string[];
  queryValue(name: string): string | undefined;
}

/** A request as predicates see it, with the account's properties and the body. */
export interface AuthorizationExchange extends PredicateExchange {
  /** True when authentication is required on this path. */
  readonly authenticationRequired: boolean;
  /** A property of the account by its dotted path; undefined when it has none. */
  userProperty(path: string): BsonValue | undefined;
  /** The body of a request to the MongoDB service; undefined elsewhere and without a body. */
  readonly body: BsonValue | undefined;
  /** False for services that are not MongoDB's: `bson-request-*` never holds there. */
  readonly hasBsonBody: boolean;
}

/** Names bound by `path-prefix`, `path-template` and `regex` while one predicate is evaluated. */
export type Bindings = Map<string, string>;

type Attribute = (exchange: PredicateExchange, bindings: Bindings) => string | undefined;

const hostName = (exchange: PredicateExchange) => exchange.host.replace(/:\d+$/, '');

const NAMED: Readonly<Record<string, Attribute>> = {
  METHOD: (exchange) => exchange.method,
  REMOTE_USER: (exchange) => exchange.userName,
  RELATIVE_PATH: (exchange) => exchange.path,
  REQUEST_PATH: (exchange) => exchange.path,
  // the path as it was sent, without scheme, host and query (Undertow, `RequestURLAttribute`)
  REQUEST_URL: (exchange) => exchange.rawPath,
  QUERY_STRING: (exchange) => (exchange.rawQuery === '' ? '' : `?${exchange.rawQuery}`),
  BARE_QUERY_STRING: (exchange) => exchange.rawQuery,
  REMOTE_IP: (exchange) => exchange.remoteAddress,
  REMOTE_HOST: (exchange) => exchange.remoteAddress,
  LOCAL_IP: (exchange) => exchange.localAddress,
  LOCAL_PORT: (exchange) => String(exchange.localPort),
  LOCAL_SERVER_NAME: hostName,
  PROTOCOL: (exchange) => `HTTP/${exchange.httpVersion}`,
  SCHEME: (exchange) => (exchange.secure ? 'https' : 'http'),
  SECURE: (exchange) => String(exchange.secure),
  HOST_AND_PORT: (exchange) => exchange.host,
  DATE_TIME: (exchange) => new Date(exchange.receivedAtMs).toISOString(),
};

const SHORT: Readonly<Record<string, keyof typeof NAMED>> = {
  u: 'REMOTE_USER',
  m: 'METHOD',
  R: 'RELATIVE_PATH',
  U: 'REQUEST_URL',
  q: 'QUERY_STRING',
  a: 'REMOTE_IP',
  h: 'REMOTE_HOST',
  A: 'LOCAL_IP',
  p: 'LOCAL_PORT',
  v: 'LOCAL_SERVER_NAME',
  H: 'PROTOCOL',
  t: 'DATE_TIME',
};

/**
 * A text with attributes as a function of the request; undefined when the whole text is one
 * attribute that the request lacks.
 */
export function compileAttribute(text: string): Attribute {
  const parts: Attribute[] = [];
  let literal = '';
  for (const [piece] of text.matchAll(/%\{[^}]*\}|\$\{[^}]*\}|%[a-zA-Z]|[\s\S]/g)) {
    const attribute = toAttribute(piece);
    if (attribute === undefined) {
      literal += piece;
      continue;
    }
    if (literal !== '') parts.push(constant(literal));
    literal = '';
    parts.push(attribute);
  }
  if (literal !== '' || parts.length === 0) parts.push(constant(literal));
  const [only] = parts;
  if (parts.length === 1 && only) return only;
  return (exchange, bindings) => parts.map((part) => part(exchange, bindings) ?? '').join('');
}

const constant =
  (text: string): Attribute =>
  () =>
    text;

function toAttribute(piece: string): Attribute | undefined {
  if (piece.startsWith('${')) {
    const name = piece.slice(2, -1);
    return (_exchange, bindings) => bindings.get(name);
  }
  if (!piece.startsWith('%') || piece.length < 2) return undefined;
  if (!piece.startsWith('%{')) {
    const name = SHORT[piece.slice(1)];
    return name === undefined ? undefined : NAMED[name];
  }
  const inner = piece.slice(2, -1);
  const [kind, name] = [inner.slice(0, 1), inner.slice(2).trim()];
  if (inner.charAt(1) === ',') {
    switch (kind) {
      case 'i':
        return (exchange) => exchange.header(name.toLowerCase());
      case 'c':
        return (exchange) => exchange.cookie(name);
      case 'q':
        return (exchange) => exchange.queryValue(name);
      case 'p':
        return (_exchange, bindings) => bindings.get(name);
      default:
        return () => undefined;
    }
  }
  return NAMED[inner] ?? (() => undefined);
}
