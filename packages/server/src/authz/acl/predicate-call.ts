/** One call of a predicate: its arguments, compiled to what they give for a request (security.md §8.4). */
import { randomBytes } from 'node:crypto';
import { type BsonValue, ObjectId } from '../../model/bson.ts';
import { bodyValue } from './bson-request.ts';
import {
  type AuthorizationExchange,
  type Bindings,
  compileAttribute,
} from './exchange-attribute.ts';
import { type Argument, type PredicateNode, predicateError } from './predicate-parser.ts';

/** A compiled predicate or part of one. */
export type Test = (exchange: AuthorizationExchange, bindings: Bindings) => boolean;
/** A text of a request; undefined when it has none. */
export type TextValue = (exchange: AuthorizationExchange, bindings: Bindings) => string | undefined;
/** Texts of a request. */
export type ListValue = (exchange: AuthorizationExchange, bindings: Bindings) => readonly string[];

/** The arguments of one call, each taken once; what is left over is an error. */
export class Call {
  readonly name: string;
  readonly column: number;
  private readonly positional: Argument[];
  private readonly named: Map<string, Argument>;
  private readonly noteBody: () => void;

  /** @param noteBody - called when an argument reads the body */
  constructor(node: Extract<PredicateNode, { kind: 'call' }>, noteBody: () => void) {
    this.name = node.name;
    this.column = node.column;
    this.positional = [...node.positional];
    this.named = new Map(node.named);
    this.noteBody = noteBody;
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
    this.noteBody();
    return (exchange: AuthorizationExchange) => bodyValue(exchange.body, path);
  }
}

/** What an unbound variable stands for: equal to nothing, so that the rule fails closed. */
export function unresolved(): string {
  return `\u0000${randomBytes(12).toString('hex')}`;
}

function toText(value: BsonValue): string {
  if (value === null) return 'null';
  if (value instanceof Date) return String(value.getTime());
  if (value instanceof ObjectId) return value.toHexString();
  return String(value);
}
