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
    if (c === '"' || c === "'") return this.#readString();
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
      const name = c === '"' || c === "'" ? this.#readString() : this.#readName();
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

  #readString(): string {
    const { value, end } = readQuoted(this.#text, this.#at);
    this.#at = end;
    return value;
  }

  #readName(): string {
    const name = this.#match(/[\w$.-]+/y);
    if (name === '') throw this.#error('a name is expected');
    return name;
  }

  #readWord(): unknown {
    const word = this.#match(/[^\s,\]}:]+/y);
    if (word === 'null') return null;
    if (word === 'true') return true;
    if (word === 'false') return false;
    if (/^-?\d[\d_]*(\.\d+)?([eE][+-]?\d+)?$/.test(word)) return Number(word.replaceAll('_', ''));
    throw this.#error(word === '' ? 'a value is expected' : `unknown value ${word}`);
  }

  /** What a sticky pattern finds here, empty when it does not match; read over. */
  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
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

/** What a letter after a backslash stands for; quotes, backslash and slash stand for themselves. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ...['"', "'", '\\', '/'].map((c) => [c, c] as const),
]);

/**
 * Reads the string whose opening quote, single or double, stands at `start`.
 *
 * @returns the value, and the place after the closing quote
 * @throws SyntaxError when it does not end, or holds an unknown escape
 */
export function readQuoted(text: string, start: number): { value: string; end: number } {
  const quote = text[start];
  let value = '';
  for (let i = start + 1; i < text.length; i += 1) {
    const c = text[i] ?? '';
    if (c === quote) return { value, end: i + 1 };
    if (c !== '\\') {
      value += c;
      continue;
    }
    i += 1;
    const letter = text[i] ?? '';
    const unicode = letter === 'u' ? /^[\da-f]{4}/i.exec(text.slice(i + 1, i + 5)) : null;
    const meaning =
      unicode === null ? ESCAPES.get(letter) : String.fromCharCode(Number.parseInt(unicode[0], 16));
    if (meaning === undefined) throw new SyntaxError(`bad escape in a string at position ${i}`);
    value += meaning;
    if (unicode !== null) i += 4;
  }
  throw new SyntaxError(`unterminated string at position ${start}`);
}

function toPlainNumber(members: readonly [string, unknown][]): number | undefined {
  const [first] = members;
  if (members.length !== 1 || first === undefined) return undefined;
  const [name, value] = first;
  if (!/^\$number(Int|Long|Double)$/.test(name) || typeof value !== 'string') return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}
