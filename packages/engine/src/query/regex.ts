/**
 * MongoDB's regular expressions (PCRE) as JavaScript's: flags i m s x u, and the spellings that
 * differ. What JavaScript cannot express (recursion, possessive quantifiers …) is refused.
 */
import { BSONRegExp } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';

export interface CompiledRegex {
  readonly pattern: string;
  /** Sorted flags. */
  readonly options: string;
  test(text: string): boolean;
  /** For searches that need positions and groups; always without `g` and `y`. */
  readonly regExp: RegExp;
}

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alpha: 'a-zA-Z',
  digit: '0-9',
  alnum: 'a-zA-Z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  print: '\\x20-\\x7e',
  graph: '\\x21-\\x7e',
  cntrl: '\\x00-\\x1f\\x7f',
  xdigit: '0-9a-fA-F',
  word: '\\w',
};

interface Flags {
  ignoreCase: boolean;
  multiline: boolean;
  dotAll: boolean;
  extended: boolean;
}

function invalid(reason: string): MongoCommandError {
  return new MongoCommandError('Location51091', `Regular expression is invalid: ${reason}`);
}

/** Rewrites one PCRE pattern; flags given inside it at its start take effect on the whole. */
class Translator {
  private at = 0;
  private out = '';
  private readonly source: string;
  private readonly flags: Flags;

  constructor(source: string, flags: Flags) {
    this.source = source;
    this.flags = flags;
  }

  translate(): string {
    this.leadingFlags();
    while (this.at < this.source.length) this.step();
    return this.out;
  }

  /** `(?i)` and `(*UTF8)` at the start. */
  private leadingFlags(): void {
    for (;;) {
      const rest = this.source.slice(this.at);
      const verb = /^\(\*[A-Z0-9_]+\)/.exec(rest);
      const inline = /^\(\?([imsx]+)\)/.exec(rest);
      if (verb !== null) {
        this.at += verb[0].length;
      } else if (inline !== null) {
        const letters = inline[1] ?? '';
        this.flags.ignoreCase ||= letters.includes('i');
        this.flags.multiline ||= letters.includes('m');
        this.flags.dotAll ||= letters.includes('s');
        this.flags.extended ||= letters.includes('x');
        this.at += inline[0].length;
      } else {
        return;
      }
    }
  }

  private step(): void {
    const char = this.source[this.at] as string;
    switch (char) {
      case '\\':
        this.escape();
        return;
      case '[':
        this.characterClass();
        return;
      case '(':
        this.group();
        return;
      case '.':
        this.put(this.flags.dotAll ? '[^]' : '[^\\n]', 1);
        return;
      case '$':
        // PCRE's dollar also holds before a newline at the very end.
        this.put(this.flags.multiline ? '(?=\\n|(?![^]))' : '(?=\\n?(?![^]))', 1);
        return;
      case '^':
        this.put(this.flags.multiline ? '(?<=\\n|(?<![^]))' : '^', 1);
        return;
      case '#':
        if (this.flags.extended) this.comment();
        else this.put('#', 1);
        return;
      default:
        if (this.flags.extended && /\s/.test(char)) this.at += 1;
        else this.put(char, 1);
    }
  }

  private put(text: string, consumed: number): void {
    this.out += text;
    this.at += consumed;
  }

  private comment(): void {
    const end = this.source.indexOf('\n', this.at);
    this.at = end === -1 ? this.source.length : end + 1;
  }

  private escape(): void {
    const next = this.source[this.at + 1];
    switch (next) {
      case undefined:
        throw invalid('\\ at end of pattern');
      case 'A':
        this.put('(?<![^])', 2);
        return;
      case 'Z':
        this.put('(?=\\n?(?![^]))', 2);
        return;
      case 'z':
        this.put('(?![^])', 2);
        return;
      case 'Q':
        this.quoted();
        return;
      case 'E':
        this.at += 2;
        return;
      case 'R':
        this.put('(?:\\r\\n|[\\n\\v\\f\\r\\x85])', 2);
        return;
      case 'g': {
        const reference = /^\\g(?:\{(\w+)\}|(\d+))/.exec(this.source.slice(this.at));
        if (reference === null) throw invalid('a numbered reference must not be zero');
        const name = reference[1] ?? reference[2] ?? '';
        this.put(/^\d+$/.test(name) ? `\\${name}` : `\\k<${name}>`, reference[0].length);
        return;
      }
      default:
        this.put(commonEscape(this.source, this.at), escapeLength(this.source, this.at));
    }
  }

  private quoted(): void {
    const end = this.source.indexOf('\\E', this.at + 2);
    const text = this.source.slice(this.at + 2, end === -1 ? undefined : end);
    this.out += text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    this.at = end === -1 ? this.source.length : end + 2;
  }

  private group(): void {
    const rest = this.source.slice(this.at, this.at + 4);
    if (rest.startsWith('(?P<')) {
      this.put('(?<', 4);
    } else if (rest.startsWith("(?'")) {
      const end = this.source.indexOf("'", this.at + 3);
      if (end === -1) throw invalid('syntax error in subpattern name (missing terminator?)');
      this.put(`(?<${this.source.slice(this.at + 3, end)}>`, end + 1 - this.at);
    } else if (rest.startsWith('(?#')) {
      const end = this.source.indexOf(')', this.at);
      if (end === -1) throw invalid('missing ) after (?# comment');
      this.at = end + 1;
    } else if (rest.startsWith('(?P=')) {
      const end = this.source.indexOf(')', this.at);
      this.put(`\\k<${this.source.slice(this.at + 4, end)}>`, end + 1 - this.at);
    } else if (rest.startsWith('(?>')) {
      // An atomic group is a lookahead whose capture is then consumed; without numbering the
      // capture safely, the plain group is the nearest: it matches a superset.
      this.put('(?:', 3);
    } else {
      this.put('(', 1);
    }
  }

  private characterClass(): void {
    let end = this.at + 1;
    let out = '[';
    if (this.source[end] === '^') {
      out += '^';
      end += 1;
    }
    if (this.source[end] === ']') {
      out += '\\]';
      end += 1;
    }
    for (;;) {
      const char = this.source[end];
      if (char === undefined) throw invalid('missing terminating ] for character class');
      if (char === ']') break;
      const posix = /^\[:(\^?)(\w+):\]/.exec(this.source.slice(end, end + 14));
      if (posix !== null) {
        const members = POSIX_CLASSES[posix[2] ?? ''];
        if (members === undefined || posix[1] === '^') throw invalid('unknown POSIX class name');
        out += members;
        end += posix[0].length;
      } else if (char === '\\') {
        out += this.source[end + 1] === 'b' ? '\\x08' : commonEscape(this.source, end);
        end += escapeLength(this.source, end);
      } else {
        out += char === '[' ? '\\[' : char;
        end += 1;
      }
    }
    this.put(`${out}]`, end + 1 - this.at);
  }
}

/** Escapes that mean the same inside and outside a class; letters JavaScript lacks are spelled out. */
function commonEscape(source: string, at: number): string {
  const next = source[at + 1] ?? '';
  switch (next) {
    case 'a':
      return '\\x07';
    case 'e':
      return '\\x1b';
    case 'h':
      return '\\x20\\t\\xa0';
    case 'x': {
      const braces = /^\\x\{([0-9a-fA-F]+)\}/.exec(source.slice(at, at + 12));
      if (braces !== null) return `\\u{${braces[1]}}`;
      const digits = /^\\x([0-9a-fA-F]{0,2})/.exec(source.slice(at, at + 4))?.[1] ?? '';
      return `\\x${digits.padStart(2, '0')}`;
    }
    case 'p':
    case 'P': {
      const single = /^\\([pP])([A-Z])/.exec(source.slice(at, at + 3));
      return single === null
        ? source.slice(at, at + escapeLength(source, at))
        : `\\${single[1]}{${single[2]}}`;
    }
    default:
      // In JavaScript's unicode mode only punctuation of the syntax may be escaped.
      if (/[\s!"#%&',:;<=>@_`~]/.test(next)) return next;
      return `\\${next}`;
  }
}

function escapeLength(source: string, at: number): number {
  const rest = source.slice(at, at + 40);
  const long =
    /^\\x\{[0-9a-fA-F]+\}/.exec(rest) ??
    /^\\x[0-9a-fA-F]{0,2}/.exec(rest) ??
    /^\\[pP]\{\^?\w+\}/.exec(rest) ??
    /^\\[pP][A-Z]/.exec(rest);
  return long === null ? 2 : long[0].length;
}

function build(pattern: string, options: string): RegExp {
  const flags: Flags = {
    ignoreCase: options.includes('i'),
    multiline: options.includes('m'),
    dotAll: options.includes('s'),
    extended: options.includes('x'),
  };
  const translated = new Translator(pattern, flags).translate();
  const ignoreCase = flags.ignoreCase ? 'i' : '';
  try {
    return new RegExp(translated, `u${ignoreCase}`);
  } catch {
    try {
      return new RegExp(translated, ignoreCase);
    } catch (error) {
      throw invalid(error instanceof Error ? error.message : 'syntax error');
    }
  }
}

const cache = new Map<string, CompiledRegex>();

/**
 * The regular expression of a pattern and MongoDB's options.
 *
 * @throws Location51108 for an unknown flag, Location51091 for a bad pattern
 */
export function compileRegex(pattern: string, options: string): CompiledRegex {
  const key = `${options}/${pattern}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  for (const flag of options) {
    if (!'imsxu'.includes(flag)) {
      throw new MongoCommandError('Location51108', `invalid flag in regex options: ${flag}`);
    }
  }
  if (pattern.includes('\0')) {
    throw new MongoCommandError(
      'BadValue',
      'Regular expression cannot contain an embedded null byte',
    );
  }
  const regExp = build(pattern, options);
  const compiled: CompiledRegex = {
    pattern,
    options: [...options].sort().join(''),
    regExp,
    test: (text) => regExp.test(text),
  };
  if (cache.size >= 512) cache.clear();
  cache.set(key, compiled);
  return compiled;
}

export function compileBsonRegex(value: BSONRegExp): CompiledRegex {
  return compileRegex(value.pattern, value.options);
}

export function toBsonRegex(regex: CompiledRegex): BSONRegExp {
  return new BSONRegExp(regex.pattern, regex.options);
}

/**
 * The literal text every match of the pattern starts with, for index bounds; `undefined` when there
 * is none. `exact` says that starting with it is all the pattern asks.
 */
export function literalPrefix(
  regex: CompiledRegex,
): { readonly prefix: string; readonly exact: boolean } | undefined {
  if (/[imx]/.test(regex.options)) return undefined;
  const anchor = regex.pattern.startsWith('^') ? 1 : regex.pattern.startsWith('\\A') ? 2 : 0;
  if (anchor === 0 || regex.pattern.includes('|')) return undefined;
  let prefix = '';
  let at = anchor;
  while (at < regex.pattern.length) {
    let char = regex.pattern[at] as string;
    let length = 1;
    if (char === '\\') {
      const next = regex.pattern[at + 1];
      if (next === undefined || /[A-Za-z0-9]/.test(next)) break;
      char = next;
      length = 2;
    } else if ('^$.[]|()?*+{}'.includes(char)) {
      break;
    }
    const following = regex.pattern[at + length];
    // A quantifier that allows none takes the character out of the prefix.
    if (following === '?' || following === '*' || following === '{') break;
    prefix += char;
    at += length;
    if (following === '+') break;
  }
  if (prefix === '') return undefined;
  const rest = regex.pattern.slice(at);
  return { prefix, exact: rest === '' || rest === '.*' };
}
