/**
 * Predicates of permissions, compiled once and evaluated for each request (security.md §8.4, §8.5).
 */
import { IDEMPOTENT_METHODS } from '../../lib/idempotent-methods.ts';
import type { BsonValue } from '../../model/bson.ts';
import {
  bodyAvoids,
  bodyContains,
  bodyValue,
  bodyWithin,
  isSameValue,
  isSubset,
} from './bson-request.ts';
import type { AuthorizationExchange, Bindings } from './exchange-attribute.ts';
import { pathKeysOf } from './path-keys.ts';
import { matchPathTemplate } from './path-template.ts';
import { Call, type ListValue, type Test, type TextValue, unresolved } from './predicate-call.ts';
import {
  formatPredicate,
  type PredicateNode,
  parsePredicate,
  predicateError,
} from './predicate-parser.ts';
import { compileRulePattern, type PatternMatch } from './rule-pattern.ts';

/** A compiled predicate. */
export interface Predicate {
  readonly text: string;
  /** True when the body has to be read before `test`. */
  readonly needsBody: boolean;
  /** Keys of the paths it can hold for; undefined: any path. */
  readonly pathKeys: readonly string[] | undefined;
  test(exchange: AuthorizationExchange): boolean;
}

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
        return this.compileCall(
          new Call(node, () => {
            this.needsBody = true;
          }),
        );
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
        return (exchange) => IDEMPOTENT_METHODS.has(exchange.method);
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

const relativePath: TextValue = (exchange) => exchange.path;

function leadingSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

function trimSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function slashed(prefix: string): string {
  return prefix.endsWith('/') ? prefix : `${prefix}/`;
}
