/** The CSV dialect of the upload service (rest-resources.md §10). */

import { RE2JS } from 're2js';
import type { BsonDocument, BsonValue } from '../../model/bson.ts';
import { parseFieldText } from '../rest/form-body.ts';

/** How rows become documents. */
export interface CsvOptions {
  /** Regular expression between cells. */
  readonly separator: string;
  /** 0-based column of the `_id`; undefined: none. */
  readonly idColumn: number | undefined;
  /** Properties added to each row. */
  readonly additions: ReadonlyMap<string, BsonValue>;
}

/**
 * The rows of a text as documents, one after the other.
 *
 * @throws SyntaxError when the separator is no regular expression
 */
export function parseCsv(text: string, options: CsvOptions): Iterable<BsonDocument> {
  // made here and not with the first row, so that its failure is the caller's to catch
  return readRows(text, createSplitter(options.separator), options);
}

function* readRows(text: string, split: Splitter, options: CsvOptions): Generator<BsonDocument> {
  let names: string[] | undefined;
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    if (line.trim() === '') continue;
    if (names === undefined) {
      names = split(line).map(unquote);
      continue;
    }
    yield toDocument(split(line), names, options);
  }
}

function unquote(name: string): string {
  const trimmed = name.trim();
  return /^".*"$/.test(trimmed) ? trimmed.slice(1, -1) : trimmed;
}

function toDocument(
  cells: readonly string[],
  names: readonly string[],
  { idColumn, additions }: CsvOptions,
): BsonDocument {
  const document: BsonDocument = new Map();
  const idCell = idColumn === undefined ? undefined : cells[idColumn];
  if (idCell !== undefined) document.set('_id', parseCell(idCell));
  let unnamed = 0;
  for (const [index, cell] of cells.entries()) {
    const name = names[index] ?? `unnamed_${unnamed++}`;
    if (index !== idColumn) document.set(name, parseCell(cell));
  }
  for (const [name, value] of additions) document.set(name, value);
  return document;
}

/** JSON when it is JSON, else the text as it stands; a blank cell is a text. */
export function parseCell(text: string): BsonValue {
  try {
    return parseFieldText(text);
  } catch {
    // begins like an object or array and is none
    return text;
  }
}

type Splitter = (line: string) => string[];

/** Splits where the separator stands outside double quotes; the expression comes from the client, so RE2 runs it. */
function createSplitter(separator: string): Splitter {
  if (!/[\\^$.|?*+()[\]{}]/.test(separator)) {
    return (line) => splitAt(line, separator.length, (from) => line.indexOf(separator, from));
  }
  const expression = RE2JS.compile(separator);
  return (line) => {
    const matcher = expression.matcher(line);
    const cells: string[] = [];
    let start = 0;
    const quotes = new QuoteScanner(line);
    while (matcher.find()) {
      if (matcher.end() === matcher.start() || quotes.isOpenAt(matcher.start())) continue;
      cells.push(line.slice(start, matcher.start()));
      start = matcher.end();
      quotes.restartAt(start);
    }
    return [...cells, line.slice(start)];
  };
}

function splitAt(line: string, width: number, next: (from: number) => number): string[] {
  if (width === 0) return [line];
  const cells: string[] = [];
  let start = 0;
  const quotes = new QuoteScanner(line);
  for (let at = next(0); at >= 0; at = next(at + width)) {
    if (quotes.isOpenAt(at)) continue;
    cells.push(line.slice(start, at));
    start = at + width;
    quotes.restartAt(start);
  }
  return [...cells, line.slice(start)];
}

/** Knows whether a quote is open, counted from the start of a cell; asked from left to right, it reads each character once. */
class QuoteScanner {
  readonly #line: string;
  #at = 0;
  #isOpen = false;

  constructor(line: string) {
    this.#line = line;
  }

  isOpenAt(end: number): boolean {
    for (; this.#at < end; this.#at += 1) {
      const c = this.#line.charCodeAt(this.#at);
      if (c === 0x5c) this.#at += 1;
      else if (c === 0x22) this.#isOpen = !this.#isOpen;
    }
    return this.#isOpen;
  }

  restartAt(start: number): void {
    this.#at = start;
    this.#isOpen = false;
  }
}
