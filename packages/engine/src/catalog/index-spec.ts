/** Index specifications as createIndexes takes and listIndexes gives them. */
import { toExactInt32 } from '../bson/numeric.ts';
import { isTrue } from '../bson/truth.ts';
import type { Document, Value } from '../bson/value.ts';
import { checkKey, type IndexKind, isIdPattern, kindOfKey } from './index-key-pattern.ts';
import { BOOLEAN_OPTIONS, checkFieldNames, checkIndexOptions, checkName } from './index-options.ts';

/** MongoDB's limit for one collection. */
export const MAX_INDEXES = 64;

/** A specification that has passed all checks, in the form listIndexes gives. */
export interface IndexSpec {
  readonly name: string;
  readonly key: Document;
  readonly kind: IndexKind;
  readonly document: Document;
}

/** A text index is listed with its hidden fields in place of those it was asked for. */
function textDefaults(spec: Document, document: Document): Document {
  const key = document.get('key') as Document;
  const weights: Document = new Map();
  const listed: Document = new Map();
  for (const [path, value] of key) {
    if (value === 'text') {
      weights.set(path, 1);
      listed.set('_fts', 'text');
      listed.set('_ftsx', 1);
    } else {
      listed.set(path, value);
    }
  }
  if (key.has('_fts')) {
    weights.delete('_fts');
    listed.delete('_ftsx');
    listed.set('_ftsx', 1);
  }
  const given = spec.get('weights');
  if (given instanceof Map) for (const [path, weight] of given) weights.set(path, weight);
  document.set('key', listed);
  document.set('weights', new Map([...weights].sort(([a], [b]) => (a < b ? -1 : 1))));
  document.set('default_language', spec.get('default_language') ?? 'english');
  document.set('language_override', spec.get('language_override') ?? 'language');
  document.set('textIndexVersion', spec.get('textIndexVersion') ?? 3);
  return document;
}

function listedForm(spec: Document, name: string, kind: IndexKind): Document {
  const document: Document = new Map<string, Value>([
    ['v', 2],
    ['key', spec.get('key') ?? null],
    ['name', name],
  ]);
  for (const [field, value] of spec) {
    if (field === 'v' || field === 'ns' || field === 'dropDups') continue;
    if (document.has(field)) continue;
    if (BOOLEAN_OPTIONS.includes(field)) {
      if (isTrue(value)) document.set(field, true);
    } else if (field === 'expireAfterSeconds') {
      document.set(field, toExactInt32(value) ?? value);
    } else {
      document.set(field, value);
    }
  }
  if (kind === 'text') return textDefaults(spec, document);
  const isSphere = [...(spec.get('key') as Document).values()].includes('2dsphere');
  if (isSphere && !document.has('2dsphereIndexVersion')) document.set('2dsphereIndexVersion', 3);
  return document;
}

/**
 * Checks a specification and brings it into the form of listIndexes.
 *
 * @throws CannotCreateIndex and others, with MongoDB's texts
 */
export function parseIndexSpec(spec: Document): IndexSpec {
  const key = checkKey(spec);
  checkFieldNames(spec, key);
  const kind = kindOfKey(key, spec);
  const name = isIdPattern(key) ? '_id_' : checkName(spec);
  checkIndexOptions(spec, key, kind);
  const document = listedForm(spec, name, kind);
  return { name, key: document.get('key') as Document, kind, document };
}
