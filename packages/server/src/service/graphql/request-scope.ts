/** What the resolvers of one request share. */
import type { Path } from 'graphql/jsutils/Path.js';
import type { BsonDocument, BsonValue } from '../../model/bson.ts';
import type { DataReader } from './data-reader.ts';
import type { Deadline } from './deadline.ts';
import type { LoaderSet } from './loaders.ts';

export interface RequestScope {
  readonly reader: DataReader;
  readonly loaders: LoaderSet;
  readonly deadline: Deadline;
  /** The account's properties; null without an account. */
  readonly user: BsonDocument | null;
  /** What each field of `Query` gave, by its key in the answer. */
  readonly roots: Map<string | number, BsonValue>;
}

/** The top-level document under which a field lies; undefined on fields of `Query`. */
export function rootDocumentOf(scope: RequestScope, path: Path): BsonValue | undefined {
  const keys: (string | number)[] = [];
  for (let at: Path | undefined = path; at !== undefined; at = at.prev) keys.unshift(at.key);
  const [root, ...rest] = keys;
  if (root === undefined || rest.length === 0) return undefined;
  let value = scope.roots.get(root);
  for (const key of rest) {
    if (!Array.isArray(value) || typeof key !== 'number') break;
    value = value[key];
  }
  return value;
}
