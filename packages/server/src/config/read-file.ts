import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import type { Tags } from 'yaml';
import { QuorateError } from '../errors/quorate-error.ts';
import { type Overrides, overridesFromObject, parseOverrides } from './override.ts';

/** Loaded with the first file: a start without one is 50 ms faster (Node 20, one core). */
function loadYaml(): typeof import('yaml') {
  return createRequire(import.meta.url)('yaml');
}

/** A parsed file and the line of each `/section` and `/section/key` in it. */
export interface ConfigFile {
  readonly root: Record<string, unknown>;
  readonly lines: ReadonlyMap<string, number>;
}

/**
 * Reads a configuration file as YAML 1.1, which is what RESTHeart's own files are written in (`1_000` is a number, `yes` is true).
 *
 * @throws ERR_CONFIG_FILE naming the file and the line
 */
export function readConfigFile(path: string): ConfigFile {
  return parseConfigText(readText(path), path);
}

/** The same from text; `name` is how errors call it. */
export function parseConfigText(text: string, name: string): ConfigFile {
  const { isMap, isPair, isScalar, LineCounter, parseDocument } = loadYaml();
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    version: '1.1',
    customTags: withoutLetters,
    lineCounter,
    merge: true,
  });
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw fileError(name, problem.message.split('\n')[0] ?? 'invalid YAML', problem);
  }
  let root: unknown;
  try {
    root = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // `*name` without its anchor, or too many of them; a star that is meant as a text needs quotes
    throw fileError(name, error instanceof Error ? error.message : 'invalid YAML', error);
  }
  if (root === null || root === undefined) return { root: {}, lines: new Map() };
  if (typeof root !== 'object' || Array.isArray(root))
    throw fileError(name, 'the top level must be a block of sections');
  const lines = new Map<string, number>();
  const remember = (key: unknown, prefix: string): string | undefined => {
    if (!isScalar(key) || key.range === null || key.range === undefined) return undefined;
    const at = `${prefix}/${String(key.value)}`;
    lines.set(at, lineCounter.linePos(key.range[0]).line);
    return at;
  };
  if (isMap(document.contents)) {
    for (const pair of document.contents.items) {
      const section = remember(pair.key, '');
      if (section === undefined || !isMap(pair.value)) continue;
      for (const inner of pair.value.items) if (isPair(inner)) remember(inner.key, section);
    }
  }
  return { root: root as Record<string, unknown>, lines };
}

/**
 * Reads an override file; its extension tells the syntax (operations.md §1).
 *
 * @throws ERR_CONFIG_FILE when it is missing, malformed or of another type
 */
export function readOverrideFile(path: string): Overrides {
  const extension = extname(path).toLowerCase();
  if (extension === '.conf') return parseOverrides(readText(path));
  if (['.yml', '.yaml', '.json', '.jsonc'].includes(extension)) {
    const text = readText(path);
    // YAML 1.1 contains JSON; comments of .jsonc are taken out first
    const plain = extension.startsWith('.json') ? stripJsonComments(text) : text;
    return overridesFromObject(parseConfigText(plain, path).root);
  }
  throw fileError(path, 'an override file ends in .yml, .yaml, .json, .jsonc or .conf');
}

/** Takes `//` and block comments out of JSON, but not out of its strings. */
export function stripJsonComments(text: string): string {
  return text.replaceAll(/"(?:\\.|[^"\\])*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (match) =>
    match.startsWith('"') ? match : ' ',
  );
}

/** YAML 1.1 takes `y` and `n` for booleans; the reference's parser, like most, takes the words only. */
function withoutLetters(tags: Tags): Tags {
  return tags.map((tag) => {
    if (typeof tag === 'string' || tag.tag !== 'tag:yaml.org,2002:bool' || !('test' in tag))
      return tag;
    const { test } = tag;
    return test?.test('y') === true || test?.test('n') === true
      ? { ...tag, test: test.test('y') ? TRUE_WORDS : FALSE_WORDS }
      : tag;
  }) as Tags;
}

const TRUE_WORDS = /^(?:[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON)$/;
const FALSE_WORDS = /^(?:[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/;

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw fileError(path, code === 'ENOENT' ? 'there is no such file' : 'it cannot be read', error);
  }
}

function fileError(path: string, reason: string, cause?: unknown): QuorateError {
  return new QuorateError('ERR_CONFIG_FILE', { message: `${path}: ${reason}`, cause });
}
