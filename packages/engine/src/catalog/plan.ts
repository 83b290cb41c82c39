import type { Collator } from '../bson/compare.ts';
import type { Document, Value } from '../bson/value.ts';
import type { Filter } from '../query/filter.ts';
import type { SortPlan } from '../query/sort.ts';
import type { Direction } from '../storage/key-encoding.ts';
import type { Collection } from './collection.ts';
import type { Index } from './index.ts';
import type { IndexScan } from './index-scan.ts';

export interface FindOptions {
  readonly filter?: Filter | undefined;
  readonly sort?: Document | undefined;
  /** An index's name, its key pattern, or `{ $natural: 1 | -1 }`. */
  readonly hint?: Value | undefined;
  readonly collation?: Collator | undefined;
  readonly min?: Document | undefined;
  readonly max?: Document | undefined;
  /** Matching documents to pass over, and how many to give after them; 0 is no limit. */
  readonly skip?: number | undefined;
  readonly limit?: number | undefined;
  /** Metadata for sorts by `{ $meta: … }`. */
  readonly metaOf?: ((document: Document, name: string) => Value | undefined) | undefined;
}

/** Where the documents come from. */
export type Access =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'collection'; readonly direction: Direction }
  | { readonly kind: 'id'; readonly index: Index; readonly id: Value }
  | { readonly kind: 'index'; readonly scan: IndexScan; readonly direction: Direction }
  | { readonly kind: 'or'; readonly branches: readonly IndexScan[] };

export interface Plan {
  readonly collection: Collection;
  readonly access: Access;
  readonly filter: Filter | undefined;
  /** Whether the documents found have still to be tested. */
  readonly testsDocuments: boolean;
  /** Set when the documents have to be sorted after they were found. */
  readonly sort: SortPlan | undefined;
  readonly sortSpec: Document | undefined;
  readonly skip: number;
  readonly limit: number;
  readonly rejected: readonly Access[];
  readonly hint: Value | undefined;
}
