/**
 * Predicates of permissions, compiled once and evaluated for each request (security.md §8.4, §8.5).
 */
import { randomBytes } from 'node:crypto';
import { type BsonValue, ObjectId } from '../../model/bson.ts';
import { bodyAvoids, bodyContains, bodyValue, bodyWithin } from './bson-request.ts';
import { type Bindings, compileAttribute, type PredicateExchange } from './exchange-attribute.ts';
import { pathKeysOf } from './path-keys.ts';
import { matchPathTemplate } from './path-template.ts';
import {
  type Argument,
  formatPredicate,
  type PredicateNode,
  parsePredicate,
  predicateError,
} from './predicate-parser.ts';
import { compileRulePattern, type PatternMatch } from './rule-pattern.ts';

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

/** A compiled predicate. */
export interface Predicate {
  readonly text: string;
  /** True when the body has to be read before `test`. */
  readonly needsBody: boolean;
  /** Keys of the paths it can hold for; undefined: any path. */
  readonly pathKeys: readonly string[] | undefined;
  test(exchange: AuthorizationExchange): boolean;
}

type Test = (exchange: AuthorizationExchange, bindings: Bindings) => boolean;
type TextValue = (exchange: AuthorizationExchange, bindings: Bindings) => string | undefined;
type ListValue = (exchange: AuthorizationExchange, bindings: Bindings) => readonly string[];

export interface PredicateOptions {
  /** Reads a JSON literal of `bson-request-prop-equals` and its like. */
  readonly parseJson: (text: string) => BsonValue;
}

/**
 * Compiles a predicate.
 *
 * @throws ERR_CONFIG_PREDICATE with the column at fault: syntax, an unknown predicate, a missing argument
 */
export function compilePredicate(text: string, options: PredicateOptions): Predicate {
  const node = parsePredicate(text);
  const compiler = new PredicateCompiler(options);
  const test = compiler.compile(node);
  return {
    text,
    needsBody: compiler.needsBody,
    pathKeys: pathKeysOf(node),
    test: (exchange) => test(exchange, new Map()),
  };
}

export { formatPredicate, parsePredicate };

const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

class PredicateCompiler {
  needsBody = false;
  private readonly options: PredicateOptions;

  constructor(options: PredicateOptions) {
    this.options = options;
  }

  compile(node: PredicateNode): Test {
    switch (node.kind) {
      case 'constant':
        return () => node.value;
      case 'not': {
        const child = this.compile(node.child);
        return (exchange, bindings) => !child(exchange, bindings);
      }
      case 'and': {
        const children = node.children.map((child) => this.compile(child));
        return (exchange, bindings) => children.every((child) => child(exchange, bindings));
      }
      case 'or': {
        const children = node.children.map((child) => this.compile(child));
        return (exchange, bindings) => children.some((child) => child(exchange, bindings));
      }
      case 'call':
        return this.compileCall(new Call(node, this));
    }
  }

  private compileCall(call: Call): Test {
    const test = this.pathTest(call) ?? this.requestTest(call) ?? this.bodyTest(call);
    if (test === undefined) {
      throw predicateError(`there is no predicate '${call.name}'`, call.column);
    }
    call.close();
    return test;
  }

  private pathTest(call: Call): Test | undefined {
    switch (call.name) {
      case 'path': {
        const paths = call.list('path');
        return (exchange, bindings) => {
          const path = trimSlash(exchange.path);
          return paths(exchange, bindings).some((entry) => trimSlash(leadingSlash(entry)) === path);
        };
      }
      case 'path-prefix': {
        const paths = call.list('path');
        return (exchange, bindings) => {
          for (const entry of paths(exchange, bindings)) {
            const prefix = trimSlash(leadingSlash(entry));
            if (exchange.path === prefix || exchange.path.startsWith(slashed(prefix))) {
              bindings.set('remaining', exchange.path.slice(prefix.length));
              return true;
            }
          }
          return false;
        };
      }
      case 'path-suffix': {
        const paths = call.list('path');
        return (exchange, bindings) =>
          paths(exchange, bindings).some((suffix) => exchange.path.endsWith(suffix));
      }
      case 'path-template': {
        const template = call.text('value');
        const match = call.optionalAttribute('match') ?? relativePath;
        return (exchange, bindings) => {
          const value = match(exchange, bindings);
          const pattern = template(exchange, bindings);
          if (value === undefined || pattern === undefined) return false;
          return matchPathTemplate(leadingSlash(pattern), value, bindings);
        };
      }
      case 'regex':
        return this.regexTest(call);
      default:
        return undefined;
    }
  }

  private regexTest(call: Call): Test {
    const pattern = call.literal('pattern');
    const value = call.optionalAttribute('value') ?? relativePath;
    const whole = call.optionalLiteral('full-match') === 'true';
    const caseSensitive = call.optionalLiteral('case-sensitive') === 'true';
    let match: PatternMatch;
    try {
      match = compileRulePattern(pattern, { whole, caseSensitive });
    } catch (cause) {
      throw predicateError(`'${pattern}' is no regular expression: ${String(cause)}`, call.column);
    }
    return (exchange, bindings) => {
      const text = value(exchange, bindings);
      if (text === undefined) return false;
      const found = match(text);
      found?.forEach((group, i) => {
        if (group !== undefined) bindings.set(String(i), group);
      });
      return found !== null;
    };
  }

  private requestTest(call: Call): Test | undefined {
    switch (call.name) {
      case 'method': {
        const methods = call.list('value');
        return (exchange, bindings) => methods(exchange, bindings).includes(exchange.method);
      }
      case 'equals': {
        const values = call.attributes('value');
        return (exchange, bindings) => {
          const texts = values.map((value) => value(exchange, bindings) ?? unresolved());
          return texts.every((text) => text === texts[0]);
        };
      }
      case 'contains': {
        const value = call.attribute('value');
        const searched = call.list('search');
        return (exchange, bindings) => {
          const text = value(exchange, bindings);
          return (
            text !== undefined && searched(exchange, bindings).some((part) => text.includes(part))
          );
        };
      }
      case 'exists': {
        const value = call.attribute('value');
        return (exchange, bindings) => (value(exchange, bindings) ?? '') !== '';
      }
      case 'in': {
        const value = call.attribute('value');
        const array = call.list('array');
        return (exchange, bindings) => {
          const text = value(exchange, bindings);
          return text !== undefined && array(exchange, bindings).includes(text);
        };
      }
      case 'secure':
        return (exchange) => exchange.secure;
      case 'idempotent':
        return (exchange) => IDEMPOTENT.has(exchange.method);
      case 'auth-required':
        return (exchange) => exchange.authenticationRequired;
      // these look at the response's length in the original, which is not known yet
      case 'max-content-size':
      case 'min-content-size':
        call.text('value');
        return () => false;
      case 'request-larger-than':
      case 'request-smaller-than':
        call.text('size');
        return () => false;
      default:
        return this.queryTest(call);
    }
  }

  private queryTest(call: Call): Test | undefined {
    switch (call.name) {
      case 'qparams-contain': {
        const names = call.list('qparams');
        return (exchange, bindings) => {
          const sent = exchange.queryNames();
          return names(exchange, bindings).every((name) => sent.includes(name));
        };
      }
      case 'qparams-blacklist': {
        const names = call.list('blacklist');
        return (exchange, bindings) => {
          const sent = exchange.queryNames();
          return !names(exchange, bindings).some((name) => sent.includes(name));
        };
      }
      case 'qparams-whitelist': {
        const names = call.optionalList('whitelist');
        return (exchange, bindings) => {
          const allowed = names(exchange, bindings);
          return exchange.queryNames().every((name) => allowed.includes(name));
        };
      }
      case 'qparams-size': {
        const size = call.text('size');
        return (exchange, bindings) =>
          Number(size(exchange, bindings)) === exchange.queryNames().length;
      }
      default:
        return undefined;
    }
  }

  private bodyTest(call: Call): Test | undefined {
    const onBody =
      (test: (body: BsonValue | undefined, list: readonly string[]) => boolean, list: ListValue) =>
      (exchange: AuthorizationExchange, bindings: Bindings) =>
        exchange.hasBsonBody && test(exchange.body, list(exchange, bindings));
    if (!call.name.startsWith('bson-request-')) return undefined;
    this.needsBody = true;
    switch (call.name) {
      case 'bson-request-contains':
        return onBody(bodyContains, call.list('keys'));
      case 'bson-request-whitelist':
        return onBody(bodyWithin, call.optionalList('whitelist'));
      case 'bson-request-blacklist':
        return onBody(bodyAvoids, call.list('blacklist'));
      case 'bson-request-prop-equals': {
        const key = call.text('key');
        const value = call.text('value');
        return (exchange, bindings) => {
          const found = bodyValue(exchange.body, key(exchange, bindings) ?? '');
          const wanted = this.readJson(value(exchange, bindings));
          return exchange.hasBsonBody && found !== undefined && isSameValue(found, wanted);
        };
      }
      case 'bson-request-array-contains':
      case 'bson-request-array-is-subset': {
        const key = call.text('key');
        const values = call.list('values');
        const subset = call.name === 'bson-request-array-is-subset';
        return (exchange, bindings) => {
          const found = bodyValue(exchange.body, key(exchange, bindings) ?? '');
          if (!exchange.hasBsonBody || !Array.isArray(found)) return false;
          const wanted = values(exchange, bindings).map((text) => this.readJson(text));
          return subset ? isSubset(found, wanted) : isSubset(wanted, found);
        };
      }
      default:
        return undefined;
    }
  }

  private readJson(text: string | undefined): BsonValue | undefined {
    if (text === undefined) return undefined;
    try {
      return this.options.parseJson(text);
    } catch {
      // a bare word stands for itself, as an account's property does
      return text;
    }
  }
}

/** The arguments of one call, each taken once; what is left over is an error. */
class Call {
  readonly name: string;
  readonly column: number;
  private readonly positional: Argument[];
  private readonly named: Map<string, Argument>;
  private readonly compiler: PredicateCompiler;

  constructor(node: Extract<PredicateNode, { kind: 'call' }>, compiler: PredicateCompiler) {
    this.name = node.name;
    this.column = node.column;
    this.positional = [...node.positional];
    this.named = new Map(node.named);
    this.compiler = compiler;
  }

  text(name: string): TextValue {
    return this.compileText(this.take(name), false);
  }

  attribute(name: string): TextValue {
    return this.compileText(this.take(name), true);
  }

  optionalAttribute(name: string): TextValue | undefined {
    const argument = this.find(name);
    return argument && this.compileText(argument, true);
  }

  literal(name: string): string {
    const argument = this.take(name);
    if (argument.kind !== 'text') {
      throw predicateError(`'${name}' of '${this.name}' must be a plain text`, this.column);
    }
    return argument.text;
  }

  optionalLiteral(name: string): string | undefined {
    const argument = this.named.get(name);
    this.named.delete(name);
    return argument?.kind === 'text' ? argument.text : undefined;
  }

  /** All positional values, or the array, or the single value of a named argument. */
  list(name: string): ListValue {
    if (!this.named.has(name) && this.positional.length === 0) throw this.missing(name);
    return this.optionalList(name);
  }

  optionalList(name: string): ListValue {
    const named = this.named.get(name);
    this.named.delete(name);
    const given = named === undefined ? this.positional.splice(0) : [named];
    const values = given
      .flatMap((argument) => (argument.kind === 'array' ? argument.items : [argument]))
      .map((argument) => this.compileList(argument));
    return (exchange, bindings) => values.flatMap((value) => value(exchange, bindings));
  }

  /** The values of `equals`: each one text. */
  attributes(name: string): TextValue[] {
    const named = this.named.get(name);
    this.named.delete(name);
    const given = named === undefined ? this.positional.splice(0) : [named];
    if (given.length === 0) throw this.missing(name);
    return given
      .flatMap((argument) => (argument.kind === 'array' ? argument.items : [argument]))
      .map((argument) => this.compileText(argument, true));
  }

  /** @throws ERR_CONFIG_PREDICATE when an argument was not asked for */
  close(): void {
    const [unknown] = this.named.keys();
    if (unknown !== undefined) {
      throw predicateError(`'${this.name}' has no argument '${unknown}'`, this.column);
    }
    if (this.positional.length > 0) {
      throw predicateError(`'${this.name}' has too many arguments`, this.column);
    }
  }

  private find(name: string): Argument | undefined {
    const named = this.named.get(name);
    this.named.delete(name);
    return named ?? this.positional.shift();
  }

  private take(name: string): Argument {
    const argument = this.find(name);
    if (argument === undefined) throw this.missing(name);
    return argument;
  }

  private missing(name: string) {
    return predicateError(`'${this.name}' needs the argument '${name}'`, this.column);
  }

  private compileText(argument: Argument, withAttributes: boolean): TextValue {
    if (argument.kind === 'array') {
      throw predicateError(`'${this.name}' takes no list here`, this.column);
    }
    if (argument.kind === 'text') {
      const { text } = argument;
      return withAttributes ? compileAttribute(text) : () => text;
    }
    const variable = this.compileVariable(argument);
    return (exchange) => {
      const value = variable(exchange);
      return value === undefined ? unresolved() : toText(value);
    };
  }

  private compileList(argument: Argument): ListValue {
    if (argument.kind === 'array') {
      const items = argument.items.map((item) => this.compileList(item));
      return (exchange, bindings) => items.flatMap((item) => item(exchange, bindings));
    }
    if (argument.kind === 'text') {
      const value = [argument.text];
      return () => value;
    }
    const variable = this.compileVariable(argument);
    return (exchange) => {
      const value = variable(exchange);
      if (value === undefined) return [unresolved()];
      return Array.isArray(value) ? value.map(toText) : [toText(value)];
    };
  }

  private compileVariable(argument: Extract<Argument, { kind: 'variable' }>) {
    const { path, root } = argument;
    if (root === 'user') return (exchange: AuthorizationExchange) => exchange.userProperty(path);
    this.compiler.needsBody = true;
    return (exchange: AuthorizationExchange) => bodyValue(exchange.body, path);
  }
}

const relativePath: TextValue = (exchange) => exchange.path;

/** What an unbound variable stands for: equal to nothing, so that the rule fails closed. */
function unresolved(): string {
  return `\u0000${randomBytes(12).toString('hex')}`;
}

function toText(value: BsonValue): string {
  if (value === null) return 'null';
  if (value instanceof Date) return String(value.getTime());
  if (value instanceof ObjectId) return value.toHexString();
  return String(value);
}

function isSubset(
  part: readonly (BsonValue | undefined)[],
  whole: readonly (BsonValue | undefined)[],
): boolean {
  return part.every((value) => whole.some((other) => isSameValue(value, other)));
}

function isSameValue(a: BsonValue | undefined, b: BsonValue | undefined): boolean {
  return a === b || canonicalText(a) === canonicalText(b);
}

/** Types and values as one text: 1 and 1.0 are the same number, 1 and "1" are not. */
function canonicalText(value: BsonValue | undefined): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (member instanceof Map) return { document: [...member] };
    if (typeof member === 'object' && member !== null && 'toExtendedJSON' in member) {
      const number = Number(String(member));
      if (!Number.isNaN(number)) return number;
    }
    return member;
  });
}

function leadingSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

function trimSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function slashed(prefix: string): string {
  return prefix.endsWith('/') ? prefix : `${prefix}/`;
}
