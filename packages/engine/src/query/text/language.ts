/// <reference path="./snowball-stemmers.d.ts" />
/** Words of a language as text search sees them (manual, "Text Search Languages"). */
import { newStemmer } from 'snowball-stemmers';
import { MongoCommandError } from '../../errors/mongo-command-error.ts';
import { ENGLISH_STOP_WORDS } from './stop-words.ts';

export interface Language {
  isStopWord(word: string): boolean;
  /** The stem of a word. */
  stem(word: string): string;
}

/** The languages by name and by the two letters that stand for them. */
const NAMES: Readonly<Record<string, string>> = {
  da: 'danish',
  nl: 'dutch',
  en: 'english',
  fi: 'finnish',
  fr: 'french',
  de: 'german',
  hu: 'hungarian',
  it: 'italian',
  nb: 'norwegian',
  pt: 'portuguese',
  ro: 'romanian',
  ru: 'russian',
  es: 'spanish',
  sv: 'swedish',
  tr: 'turkish',
};

const SUPPORTED: ReadonlySet<string> = new Set(Object.values(NAMES));

const known = new Map<string, Language>();

/** The words as they are. */
const NONE: Language = { isStopWord: () => false, stem: (word) => word };

/** The language of a name; `undefined` for one that is not supported. */
export function findLanguage(name: string): Language | undefined {
  const lower = name.toLowerCase();
  if (lower === 'none') return NONE;
  const full = NAMES[lower] ?? lower;
  if (!SUPPORTED.has(full)) return undefined;
  let language = known.get(full);
  if (language === undefined) {
    const stemmer = newStemmer(full);
    const stopWords = full === 'english' ? ENGLISH_STOP_WORDS : new Set<string>();
    language = {
      isStopWord: (word) => stopWords.has(word),
      stem: (word) => stemmer.stem(word),
    };
    known.set(full, language);
  }
  return language;
}

/** @throws BadValue for a language that is not supported */
export function requireLanguage(name: string): Language {
  const language = findLanguage(name);
  if (language !== undefined) return language;
  throw new MongoCommandError(
    'BadValue',
    `unsupported language: "${name}" for text index version 3`,
  );
}
