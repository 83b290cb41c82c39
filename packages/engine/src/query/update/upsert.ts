/** The documents that upserts insert. */

import { type Document, ObjectId, type Value } from '../../bson/value.ts';
import { MongoCommandError } from '../../errors/mongo-command-error.ts';
import type { Filter } from '../filter.ts';
import { equalities } from '../filter-parse.ts';
import type { Update, UpdateContext } from '../update.ts';
import { checkIdType, fillTimestamps, withIdFirst } from '../update.ts';

function setPath(document: Document, parts: readonly string[], value: Value): void {
  let current = document;
  for (const part of parts.slice(0, -1)) {
    const next = current.get(part);
    if (next instanceof Map) {
      current = next;
    } else {
      const created: Document = new Map();
      current.set(part, created);
      current = created;
    }
  }
  current.set(parts.at(-1) ?? '', value);
}

/** The fields the filter fixes to one value; `_id` alone when the update replaces. */
function seedFromFilter(filter: Filter, onlyId: boolean): Document {
  const found = new Map<string, Value>();
  equalities(filter.root, (path, value) => {
    if (onlyId && path !== '_id') return;
    if (path.startsWith('$')) return;
    for (const known of found.keys()) {
      if (known === path) {
        throw new MongoCommandError(
          'NotSingleValueField',
          `cannot infer query fields to set, path '${path}' is matched twice`,
        );
      }
      if (known.startsWith(`${path}.`) || path.startsWith(`${known}.`)) {
        const [long, short] = known.length > path.length ? [known, path] : [path, known];
        throw new MongoCommandError(
          'NotSingleValueField',
          `cannot infer query fields to set, both paths '${long}' and '${short}' are matched`,
        );
      }
    }
    found.set(path, value);
  });
  const seed: Document = new Map();
  // MongoDB sets new fields in the order of their names, as it does with those of an update
  const paths = [...found.keys()].sort((a, b) => (a < b ? -1 : 1));
  for (const path of paths) setPath(seed, path.split('.'), found.get(path) as Value);
  return seed;
}

/**
 * The document an upsert inserts: the filter's equality conditions, then the update, and an `_id`
 * (a new ObjectId when neither gives one) in front.
 */
export function buildUpsertDocument(
  filter: Filter,
  update: Update,
  context: Omit<UpdateContext, 'isInsert' | 'changes' | 'positions'>,
): Document {
  const seed = seedFromFilter(filter, update.isReplacement);
  const document = update.apply(seed, { ...context, isInsert: true });
  const result = document.has('_id')
    ? withIdFirst(document)
    : new Map<string, Value>([['_id', new ObjectId()], ...document]);
  checkIdType(result.get('_id'));
  return fillTimestamps(result, context.timestamp);
}
