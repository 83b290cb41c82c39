/**
 * Text → tree of the predicate language of permissions (security.md §8.4, §8.5). Variables
 * (`@user.…`, `@request.body.…`) stay leaves of the tree: their values can never become syntax.
 */
import { QuorateError } from '../../errors/quorate-error.ts';

/** An argument as written; resolved for each request. */
export type Argument =
  /** literal text, in which `%…` and `${…}` are exchange attributes where the predicate takes them */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly root: 'user' | 'body'; readonly path: string }
  | { readonly kind: 'array'; readonly items: readonly Argument[] };

export type PredicateNode =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'not'; readonly child: PredicateNode }
  | { readonly kind: 'and' | 'or'; readonly children: readonly PredicateNode[] }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly positional: readonly Argument[];
      readonly named: ReadonlyMap<string, Argument>;
      /** from 1, for error messages */
      readonly column: number;
    };

interface Token {
  readonly kind: 'word' | 'quoted' | 'punctuation' | 'end';
  readonly text: string;
  readonly column: number;
}

const PUNCTUATION = '()[]{},=';
const MAX_LENGTH = 16_384;
const MAX_DEPTH = 100;

/**
 * The tree of a predicate.
 *
 * @throws ERR_CONFIG_PREDICATE with the column at fault
 */
export function parsePredicate(text: string): PredicateNode {
  if (text.length > MAX_LENGTH) throw predicateError('the predicate is too long', 1);
  return new Parser(tokenize(text)).parse();
}

/** The error of an invalid predicate; `column` is from 1. */
export function predicateError(reason: string, column: number): QuorateError {
  return new QuorateError('ERR_CONFIG_PREDICATE', {
    message: `Invalid predicate at column ${column}: ${reason}`,
    details: { column },
  });
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (/\s/.test(char)) {
      at += 1;
    } else if (PUNCTUATION.includes(char)) {
      tokens.push({ kind: 'punctuation', text: char, column: at + 1 });
      at += 1;
    } else if (char === '"' || char === "'") {
      const end = endOfQuoted(text, at);
      tokens.push({
        kind: 'quoted',
        text: unescapeQuotes(text.slice(at + 1, end)),
        column: at + 1,
      });
      at = end + 1;
    } else {
      const end = endOfWord(text, at);
      tokens.push({ kind: 'word', text: text.slice(at, end), column: at + 1 });
      at = end;
    }
  }
  tokens.push({ kind: 'end', text: '', column: text.length + 1 });
  return tokens;
}

function endOfQuoted(text: string, start: number): number {
  const quote = text.charAt(start);
  for (let at = start + 1; at < text.length; at += 1) {
    if (text.charAt(at) === '\\') at += 1;
    else if (text.charAt(at) === quote) return at;
  }
  throw predicateError('this quote is never closed', start + 1);
}

// only quotes and the backslash itself are escapes: `\d` in a pattern keeps its backslash
function unescapeQuotes(text: string): string {
  return text.replace(/\\(["'\\])/g, '$1');
}

/** A bare word ends at a blank or punctuation; `${name}` and `%{i,Header}` are part of it. */
function endOfWord(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const char = text.charAt(at);
    if ((char === '$' || char === '%') && text.charAt(at + 1) === '{') {
      const close = text.indexOf('}', at);
      if (close === -1) throw predicateError(`'${char}{' is never closed`, at + 1);
      at = close + 1;
    } else if (/\s/.test(char) || PUNCTUATION.includes(char)) {
      return at;
    } else {
      at += 1;
    }
  }
  return at;
}

class Parser {
  private readonly tokens: readonly Token[];
  private at = 0;
  private depth = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  parse(): PredicateNode {
    const node = this.parseOr();
    const rest = this.peek();
    if (rest.kind !== 'end') throw unexpected(rest, "'and', 'or' or the end");
    return node;
  }

  private parseOr(): PredicateNode {
    return this.parseChain('or', () => this.parseChain('and', () => this.parseNot()));
  }

  private parseChain(operator: 'and' | 'or', next: () => PredicateNode): PredicateNode {
    const children = [next()];
    while (this.isWord(operator)) {
      this.at += 1;
      children.push(next());
    }
    const [only] = children;
    return children.length === 1 && only ? only : { kind: operator, children };
  }

  private parseNot(): PredicateNode {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) throw predicateError('nested too deeply', this.peek().column);
    try {
      if (this.isWord('not')) {
        this.at += 1;
        return { kind: 'not', child: this.parseNot() };
      }
      if (this.accept('(')) {
        const node = this.parseOr();
        this.expect(')');
        return node;
      }
      return this.parseCall();
    } finally {
      this.depth -= 1;
    }
  }

  private parseCall(): PredicateNode {
    const token = this.next();
    if (token.kind !== 'word') throw unexpected(token, 'a predicate');
    if (token.text === 'true' || token.text === 'false') {
      return { kind: 'constant', value: token.text === 'true' };
    }
    const positional: Argument[] = [];
    const named = new Map<string, Argument>();
    const close = this.accept('(') ? ')' : this.accept('[') ? ']' : undefined;
    if (close !== undefined && !this.accept(close)) {
      do this.parseArgument(positional, named);
      while (this.accept(','));
      this.expect(close);
    }
    return { kind: 'call', name: token.text, positional, named, column: token.column };
  }

  private parseArgument(positional: Argument[], named: Map<string, Argument>): void {
    const token = this.peek();
    const following = this.tokens[this.at + 1];
    if (token.kind === 'word' && following?.kind === 'punctuation' && following.text === '=') {
      this.at += 2;
      if (named.has(token.text)) {
        throw predicateError(`the argument '${token.text}' is given twice`, token.column);
      }
      named.set(token.text, this.parseValue());
      return;
    }
    positional.push(this.parseValue());
  }

  private parseValue(): Argument {
    if (this.accept('{')) {
      const items: Argument[] = [];
      if (this.accept('}')) return { kind: 'array', items };
      do items.push(this.parseScalar());
      while (this.accept(','));
      this.expect('}');
      return { kind: 'array', items };
    }
    return this.parseScalar();
  }

  private parseScalar(): Argument {
    const token = this.next();
    if (token.kind === 'quoted') return { kind: 'text', text: token.text };
    if (token.kind !== 'word') throw unexpected(token, 'a value');
    const following = this.peek();
    if (following.kind === 'punctuation' && '{(['.includes(following.text)) {
      throw predicateError(
        `quote a value that contains '${following.text}', as in '${token.text}{…}'`,
        following.column,
      );
    }
    const variable = /^@(user|request\.body)\.(.+)$/.exec(token.text);
    if (variable?.[2] === undefined) return { kind: 'text', text: token.text };
    return {
      kind: 'variable',
      root: variable[1] === 'user' ? 'user' : 'body',
      path: variable[2],
    };
  }

  private peek(): Token {
    const token = this.tokens[Math.min(this.at, this.tokens.length - 1)];
    if (token === undefined) throw predicateError('the predicate is empty', 1);
    return token;
  }

  private next(): Token {
    const token = this.peek();
    this.at += 1;
    return token;
  }

  private isWord(text: string): boolean {
    const token = this.peek();
    return token.kind === 'word' && token.text === text;
  }

  private accept(punctuation: string): boolean {
    const token = this.peek();
    if (token.kind !== 'punctuation' || token.text !== punctuation) return false;
    this.at += 1;
    return true;
  }

  private expect(punctuation: string): void {
    const token = this.peek();
    if (!this.accept(punctuation)) throw unexpected(token, `'${punctuation}'`);
  }
}

function unexpected(token: Token, wanted: string): QuorateError {
  const found = token.kind === 'end' ? 'the text ends' : `found '${token.text}'`;
  return predicateError(`expected ${wanted}, but ${found}`, token.column);
}

/** The predicate as text again, in the round-bracket form with every literal quoted. */
export function formatPredicate(node: PredicateNode): string {
  switch (node.kind) {
    case 'constant':
      return String(node.value);
    case 'not':
      return `not (${formatPredicate(node.child)})`;
    case 'and':
    case 'or':
      return node.children.map((child) => `(${formatPredicate(child)})`).join(` ${node.kind} `);
    case 'call': {
      const args = [
        ...node.positional.map(formatArgument),
        ...[...node.named].map(([name, value]) => `${name}=${formatArgument(value)}`),
      ];
      return args.length === 0 ? node.name : `${node.name}(${args.join(', ')})`;
    }
  }
}

function formatArgument(argument: Argument): string {
  if (argument.kind === 'array') return `{${argument.items.map(formatArgument).join(', ')}}`;
  if (argument.kind === 'text') return `"${argument.text.replace(/["'\\]/g, '\\$&')}"`;
  return `@${argument.root === 'user' ? 'user' : 'request.body'}.${argument.path}`;
}
