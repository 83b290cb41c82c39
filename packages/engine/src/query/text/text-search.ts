/** `$text`: which documents a search finds, and how well (manual, "$text"). */
import type { Document, Value } from '../../bson/value.ts';
import type { TextNode } from '../filter-node.ts';
import { findLanguage, type Language, requireLanguage } from './language.ts';

/** What a text index says of the texts of a document. */
export interface TextIndexOptions {
  /** By path; `$**` stands for all strings. */
  readonly weights: ReadonlyMap<string, number>;
  readonly defaultLanguage: string;
  /** The field of a document that names its language. */
  readonly languageOverride: string;
}

export interface TextSearch {
  matches(document: Document): boolean;
  /** The `textScore` of a document that matches. */
  score(document: Document): number;
}

/** A search string taken apart. */
interface Search {
  readonly terms: readonly string[];
  readonly negated: readonly string[];
  readonly phrases: readonly string[];
  readonly negatedPhrases: readonly string[];
}

interface Text {
  readonly text: string;
  readonly weight: number;
}

const WORD = /[\p{L}\p{N}\p{M}_]+(?:['’][\p{L}\p{N}\p{M}]+)*/gu;
const MARKS = /\p{M}+/gu;

/** Brings words and texts into the form in which they are compared. */
class Folding {
  readonly #node: TextNode;

  constructor(node: TextNode) {
    this.#node = node;
  }

  fold(text: string): string {
    const plain = this.#node.diacriticSensitive
      ? text
      : text.normalize('NFD').replace(MARKS, '').normalize('NFC');
    return this.#node.caseSensitive ? plain : plain.toLowerCase();
  }

  /** The stems of a text's words, without stop words. */
  stems(text: string, language: Language): string[] {
    return (text.match(WORD) ?? [])
      .filter((word) => !language.isStopWord(word.toLowerCase()))
      .map((word) => language.stem(this.fold(word)));
  }
}

/** Phrases in quotes, a leading minus that excludes, and words. */
function parseSearch(text: string, language: Language, folding: Folding): Search {
  const terms: string[] = [];
  const negated: string[] = [];
  const phrases: string[] = [];
  const negatedPhrases: string[] = [];
  for (const [, minus, phrase, word] of text.matchAll(
    /(?:(?<=^|\s)(-))?(?:"([^"]*)"|([^\s"]+))/g,
  )) {
    const content = phrase ?? word ?? '';
    if (phrase !== undefined) (minus ? negatedPhrases : phrases).push(folding.fold(phrase));
    const stems = folding.stems(content, language);
    if (minus === undefined) terms.push(...stems);
    else if (phrase === undefined) negated.push(...stems);
  }
  return { terms: [...new Set(terms)], negated, phrases, negatedPhrases };
}

function* stringsIn(value: Value | undefined): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (Array.isArray(value)) for (const item of value) yield* stringsIn(item);
}

function* stringsAt(value: Value | undefined, parts: readonly string[]): Generator<string> {
  const [first, ...rest] = parts;
  if (first === undefined) yield* stringsIn(value);
  else if (value instanceof Map) yield* stringsAt(value.get(first), rest);
  else if (Array.isArray(value)) for (const item of value) yield* stringsAt(item, parts);
}

function* allStrings(value: Value, path: string): Generator<{ path: string; text: string }> {
  if (typeof value === 'string') yield { path, text: value };
  else if (Array.isArray(value)) for (const item of value) yield* allStrings(item, path);
  else if (value instanceof Map) {
    for (const [name, item] of value)
      yield* allStrings(item, path === '' ? name : `${path}.${name}`);
  }
}

/** The texts of a document that its index is about. */
function* textsOf(document: Document, { weights }: TextIndexOptions): Generator<Text> {
  const all = weights.get('$**');
  if (all === undefined) {
    for (const [path, weight] of weights) {
      for (const text of stringsAt(document, path.split('.'))) yield { text, weight };
    }
    return;
  }
  for (const { path, text } of allStrings(document, '')) {
    yield { text, weight: weights.get(path) ?? all };
  }
}

/**
 * How well a text answers the terms: each further occurrence of a term counts half of the one
 * before, a short text counts more than a long one, and a text of just the term a tenth more.
 */
function scoreText(text: string, stems: readonly string[], terms: ReadonlySet<string>): number {
  const found = new Map<string, { count: number; frequency: number; next: number }>();
  for (const stem of stems) {
    if (!terms.has(stem)) continue;
    const entry = found.get(stem) ?? { count: 0, frequency: 0, next: 1 };
    entry.count += 1;
    entry.frequency += entry.next;
    entry.next /= 2;
    found.set(stem, entry);
  }
  let score = 0;
  for (const [term, { count, frequency }] of found) {
    const share = (0.5 * count) / stems.length + 0.5;
    score += frequency * share * (text === term ? 1.1 : 1);
  }
  return score;
}

/**
 * Compiles a search for the documents of one text index.
 *
 * @throws BadValue for a language that is not supported
 */
export function compileTextSearch(node: TextNode, index: TextIndexOptions): TextSearch {
  const folding = new Folding(node);
  const asked = requireLanguage(node.language ?? index.defaultLanguage);
  const search = parseSearch(node.search, asked, folding);
  const terms = new Set(search.terms);

  const languageOf = (document: Document): Language => {
    const named = document.get(index.languageOverride);
    const own = typeof named === 'string' ? findLanguage(named) : undefined;
    return own ?? requireLanguage(index.defaultLanguage);
  };

  const hasPhrase = (texts: readonly Text[], phrase: string): boolean =>
    texts.some(({ text }) => folding.fold(text).includes(phrase));

  return {
    matches(document) {
      const texts = [...textsOf(document, index)];
      const language = languageOf(document);
      const stems = new Set(texts.flatMap(({ text }) => folding.stems(text, language)));
      return (
        search.terms.some((term) => stems.has(term)) &&
        !search.negated.some((term) => stems.has(term)) &&
        search.phrases.every((phrase) => hasPhrase(texts, phrase)) &&
        !search.negatedPhrases.some((phrase) => hasPhrase(texts, phrase))
      );
    },
    score(document) {
      const language = languageOf(document);
      let score = 0;
      for (const { text, weight } of textsOf(document, index)) {
        const folded = folding.fold(text);
        score += weight * scoreText(folded, folding.stems(text, language), terms);
      }
      return score;
    },
  };
}
