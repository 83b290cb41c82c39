/**
 * The tokens of MongoDB's JSON dialect: looser than RFC 8259 (bare and single-quoted names,
 * regular-expression literals, `-Infinity`). Error texts are those the MongoDB Java driver's JSON
 * reader gives, because clients of the reference see them (rest-documents.md §2.2).
 */
import { BSONRegExp, Double, Long } from '../model/bson.ts';
import { formatDouble } from './number-text.ts';

/** JSON the MongoDB reader refuses; the message is the parser text that goes to the client. */
export class JsonParseError extends Error {
  override readonly name = 'JsonParseError';
}

export type TokenKind =
  | '{'
  | '}'
  | '['
  | ']'
  | '('
  | ')'
  | ':'
  | ','
  | 'string'
  | 'word'
  | 'int32'
  | 'int64'
  | 'double'
  | 'regex'
  | 'eof';

const LETTER = /\p{L}/u;
const LETTER_OR_DIGIT = /[\p{L}\p{Nd}]/u;
const SPACE = /[\p{Zs}\p{Zl}\p{Zp}]/u;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Reads one token after another; the reader steps back by setting `position`. */
export class JsonScanner {
  readonly text: string;
  /** Offset of the next character to read. */
  position = 0;
  kind: TokenKind = 'eof';
  /** The value of a string, word, number or regular expression token. */
  value: string | number | Long | Double | BSONRegExp = '<eof>';

  constructor(text: string) {
    this.text = text;
  }

  /** Reads the next token into `kind` and `value`. */
  next(): TokenKind {
    const { text } = this;
    const { length } = text;
    let at = this.position;
    let code = 0;
    for (; at < length; at++) {
      code = text.charCodeAt(at);
      if (code > 0x20 ? code < 0x80 || !isWideSpace(code) : !isAsciiSpace(code)) break;
    }
    if (at >= length) {
      this.position = length;
      this.value = '<eof>';
      this.kind = 'eof';
      return 'eof';
    }
    switch (code) {
      case 0x7b:
        return this.mark('{', at);
      case 0x7d:
        return this.mark('}', at);
      case 0x5b:
        return this.mark('[', at);
      case 0x5d:
        return this.mark(']', at);
      case 0x28:
        return this.mark('(', at);
      case 0x29:
        return this.mark(')', at);
      case 0x3a:
        return this.mark(':', at);
      case 0x2c:
        return this.mark(',', at);
      case 0x22:
      case 0x27:
        this.value = this.scanString(at, code);
        this.kind = 'string';
        return 'string';
      case 0x2f:
        return this.scanRegex(at);
      default:
        if (code === 0x2d || isDigit(code)) return this.scanNumber(at);
        if (startsWord(code)) return this.scanWord(at);
    }
    throw new JsonParseError(
      `Invalid JSON input. Position: ${at + 1}. Character: '${text.charAt(at)}'.`,
    );
  }

  /** How the current token reads in an error text. */
  get lexeme(): string {
    const { value } = this;
    if (value instanceof Double) return formatDouble(value.value);
    if (value instanceof BSONRegExp) {
      return `BsonRegularExpression{pattern='${value.pattern}', options='${value.options}'}`;
    }
    return shorten(String(value));
  }

  private mark(kind: TokenKind, at: number): TokenKind {
    this.position = at + 1;
    this.value = kind;
    this.kind = kind;
    return kind;
  }

  private scanString(start: number, quote: number): string {
    const { text } = this;
    const { length } = text;
    let at = start + 1;
    for (; at < length; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) {
        this.position = at + 1;
        return text.slice(start + 1, at);
      }
      if (code === 0x5c) break;
    }
    let result = text.slice(start + 1, at);
    let chunk = at;
    while (at < length) {
      const code = text.charCodeAt(at);
      if (code === quote) {
        this.position = at + 1;
        return result + text.slice(chunk, at);
      }
      if (code !== 0x5c) {
        at += 1;
        continue;
      }
      result += text.slice(chunk, at) + this.unescape(at + 1);
      at += text.charCodeAt(at + 1) === 0x75 ? 6 : 2;
      chunk = at;
    }
    throw new JsonParseError('End of file in JSON string.');
  }

  private unescape(at: number): string {
    const character = this.text.charAt(at);
    switch (character) {
      case '"':
      case "'":
      case '\\':
      case '/':
        return character;
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'u': {
        const hex = this.text.slice(at + 1, at + 5);
        if (!/^[0-9a-fA-F]{4}$/.test(hex)) {
          throw new JsonParseError(`Invalid escape sequence in JSON string '\\u${hex}'.`);
        }
        return String.fromCharCode(Number.parseInt(hex, 16));
      }
      case '':
        throw new JsonParseError('End of file in JSON string.');
      default:
        throw new JsonParseError(`Invalid escape sequence in JSON string '\\${character}'.`);
    }
  }

  private scanWord(start: number): TokenKind {
    const { text } = this;
    let at = start + 1;
    while (at < text.length && continuesWord(text.charCodeAt(at))) at++;
    this.position = at;
    this.value = text.slice(start, at);
    this.kind = 'word';
    return 'word';
  }

  /** An integer without dot and exponent is an int32 when it fits, else an int64. */
  private scanNumber(start: number): TokenKind {
    const { text } = this;
    const { length } = text;
    const negative = text.charCodeAt(start) === 0x2d;
    let at = negative ? start + 1 : start;
    if (negative && text.charCodeAt(at) === 0x49) return this.scanMinusInfinity(start);
    const firstDigit = at;
    let whole = 0;
    while (at < length && isDigit(text.charCodeAt(at))) {
      whole = whole * 10 + (text.charCodeAt(at) - 0x30);
      at++;
    }
    const digits = at - firstDigit;
    if (digits === 0) throw new JsonParseError('Invalid JSON number');
    let isDouble = false;
    if (text.charCodeAt(at) === 0x2e) {
      isDouble = true;
      at = this.skipDigits(at + 1);
    }
    if (text.charCodeAt(at) === 0x65 || text.charCodeAt(at) === 0x45) {
      isDouble = true;
      at += 1;
      if (text.charCodeAt(at) === 0x2b || text.charCodeAt(at) === 0x2d) at += 1;
      at = this.skipDigits(at);
    }
    if (at < length && !endsNumber(text.charCodeAt(at))) {
      throw new JsonParseError('Invalid JSON number');
    }
    this.position = at;
    if (isDouble) {
      this.value = new Double(Number(text.slice(start, at)));
      this.kind = 'double';
      return 'double';
    }
    if (digits <= 15) {
      const signed = negative ? -whole : whole;
      if (signed === (signed | 0)) {
        this.value = signed | 0;
        this.kind = 'int32';
        return 'int32';
      }
      this.value = Long.fromNumber(signed);
    } else {
      // thousands of digits would take long to convert, only to be refused
      const exact = digits <= 40 ? BigInt(text.slice(start, at)) : undefined;
      if (exact === undefined || exact < INT64_MIN || exact > INT64_MAX) {
        throw new JsonParseError(`For input string: "${shorten(text.slice(start, at))}"`);
      }
      this.value = Long.fromBigInt(exact);
    }
    this.kind = 'int64';
    return 'int64';
  }

  private scanMinusInfinity(start: number): TokenKind {
    const end = start + '-Infinity'.length;
    const { text } = this;
    const after = text.charCodeAt(end);
    if (text.slice(start, end) !== '-Infinity' || (end < text.length && !endsNumber(after))) {
      throw new JsonParseError('Invalid JSON number');
    }
    this.position = end;
    this.value = new Double(Number.NEGATIVE_INFINITY);
    this.kind = 'double';
    return 'double';
  }

  private skipDigits(start: number): number {
    let at = start;
    while (at < this.text.length && isDigit(this.text.charCodeAt(at))) at++;
    if (at === start) throw new JsonParseError('Invalid JSON number');
    return at;
  }

  /** `/pattern/options`; escapes stay in the pattern as written. */
  private scanRegex(start: number): TokenKind {
    const { text } = this;
    let at = start + 1;
    while (at < text.length && text.charCodeAt(at) !== 0x2f) {
      at += text.charCodeAt(at) === 0x5c ? 2 : 1;
    }
    if (at >= text.length) {
      throw new JsonParseError(`Invalid JSON regular expression. Position: ${text.length}.`);
    }
    const pattern = text.slice(start + 1, at);
    const optionsStart = at + 1;
    at = optionsStart;
    while (at < text.length && 'imxs'.includes(text.charAt(at))) at++;
    if (at < text.length && !endsNumber(text.charCodeAt(at))) {
      throw new JsonParseError(`Invalid JSON regular expression. Position: ${at + 1}.`);
    }
    this.position = at;
    this.value = createRegex(pattern, text.slice(optionsStart, at));
    this.kind = 'regex';
    return 'regex';
  }
}

/** Error texts repeat what was found, but not a whole body. */
function shorten(text: string): string {
  return text.length > 256 ? `${text.slice(0, 256)}...` : text;
}

/** A BSON regular expression; BSON cannot hold a NUL in it. */
export function createRegex(pattern: string, options: string): BSONRegExp {
  try {
    return new BSONRegExp(pattern, options);
  } catch (cause) {
    throw new JsonParseError(cause instanceof Error ? cause.message : 'Invalid regular expression');
  }
}

function isAsciiSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x1f);
}

/** Beyond ASCII: Unicode separators other than the no-break ones, as Java's `isWhitespace`. */
function isWideSpace(code: number): boolean {
  if (code === 0xa0 || code === 0x2007 || code === 0x202f) return false;
  return code > 0x9f && SPACE.test(String.fromCharCode(code));
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function startsWord(code: number): boolean {
  if (code < 0x80) {
    return (
      code === 0x24 ||
      code === 0x5f ||
      (code >= 0x61 && code <= 0x7a) ||
      (code >= 0x41 && code <= 0x5a)
    );
  }
  return LETTER.test(String.fromCharCode(code));
}

function continuesWord(code: number): boolean {
  if (code < 0x80) return startsWord(code) || isDigit(code);
  return LETTER_OR_DIGIT.test(String.fromCharCode(code));
}

function endsNumber(code: number): boolean {
  return (
    code === 0x2c ||
    code === 0x7d ||
    code === 0x5d ||
    code === 0x29 ||
    (code <= 0x20 ? isAsciiSpace(code) : code >= 0x80 && isWideSpace(code))
  );
}
