/** JSON as override values may have it: single or double quotes, names without quotes, Extended JSON numbers. */

/** Deeper values are no configuration. */
const MAX_DEPTH = 100;

/** @throws SyntaxError naming the position */
export function parseRelaxedJson(text: string): unknown {
  const reader = new Reader(text);
  const value = reader.readValue(0);
  reader.expectEnd();
  return value;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readValue(depth: number): unknown {
    if (depth > MAX_DEPTH) throw this.#error('nested too deeply');
    const c = this.#peek();
    if (c === '{') return this.#readObject(depth);
    if (c === '[') return this.#readArray(depth);
    if (c === '"' || c === "'") return this.#readString(c);
    return this.#readWord();
  }

  expectEnd(): void {
    if (this.#peek() !== '') throw this.#error('unexpected text after the value');
  }

  #readObject(depth: number): unknown {
    this.#at += 1;
    const members: [string, unknown][] = [];
    while (this.#peek() !== '}') {
      const c = this.#peek();
      const name = c === '"' || c === "'" ? this.#readString(c) : this.#readName();
      this.#expect(':');
      members.push([name, this.readValue(depth + 1)]);
      if (this.#peek() !== '}') this.#expect(',');
    }
    this.#at += 1;
    return toPlainNumber(members) ?? Object.fromEntries(members);
  }

  #readArray(depth: number): unknown[] {
    this.#at += 1;
    const items: unknown[] = [];
    while (this.#peek() !== ']') {
      items.push(this.readValue(depth + 1));
      if (this.#peek() !== ']') this.#expect(',');
    }
    this.#at += 1;
    return items;
  }

  #readString(quote: string): string {
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== quote) {
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    if (end >= this.#text.length) throw this.#error('unterminated string');
    const inner = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    if (!inner.includes('\\')) return inner;
    const escaped =
      quote === "'" ? inner.replaceAll(/\\(.)|"/gs, requote) : inner.replaceAll("\\'", "'");
    try {
      return JSON.parse(`"${escaped}"`) as string;
    } catch {
      throw this.#error('bad escape in a string');
    }
  }

  #readName(): string {
    const match = /^[\w$.-]+/.exec(this.#text.slice(this.#at));
    if (match === null) throw this.#error('a name is expected');
    this.#at += match[0].length;
    return match[0];
  }

  #readWord(): unknown {
    const match = /^[^\s,\]}:]+/.exec(this.#text.slice(this.#at));
    const word = match?.[0] ?? '';
    this.#at += word.length;
    if (word === 'null') return null;
    if (word === 'true') return true;
    if (word === 'false') return false;
    if (/^-?\d[\d_]*(\.\d+)?([eE][+-]?\d+)?$/.test(word)) return Number(word.replaceAll('_', ''));
    throw this.#error(word === '' ? 'a value is expected' : `unknown value ${word}`);
  }

  #expect(c: string): void {
    if (this.#peek() !== c) throw this.#error(`${c} is expected`);
    this.#at += 1;
  }

  #peek(): string {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
    return this.#text[this.#at] ?? '';
  }

  #error(message: string): SyntaxError {
    return new SyntaxError(`${message} at position ${this.#at}`);
  }
}

/** `\'` is `'` and a bare `"` needs an escape, once the text stands between double quotes. */
function requote(match: string, escaped: string | undefined): string {
  if (escaped === undefined) return '\\"';
  return escaped === "'" ? "'" : match;
}

function toPlainNumber(members: readonly [string, unknown][]): number | undefined {
  const [first] = members;
  if (members.length !== 1 || first === undefined) return undefined;
  const [name, value] = first;
  if (!/^\$number(Int|Long|Double)$/.test(name) || typeof value !== 'string') return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}
