/** Compiles what the options of collections and the specifications of indexes say. */
import type { Collator } from '../bson/compare.ts';
import type { Document, Value } from '../bson/value.ts';
import { parseCollation } from '../query/collation.ts';
import { compileFilter, type Filter } from '../query/filter.ts';
import type { Collection, CollectionState } from './collection.ts';
import { Index, type KeptOfIndex } from './index.ts';
import { type IndexSpec, parseIndexSpec } from './index-spec.ts';

/** What the catalog needs from parts of the engine it does not know. */
export interface CatalogOptions {
  /** Compiles partial index filters and validators; with `$expr` when the engine gives it. */
  readonly compileFilter?: (filter: Document, collator: Collator | undefined) => Filter;
}

/** Makes collections' filters and collations, and indexes, from what is stored of them. */
export class OptionsCompiler {
  readonly #options: CatalogOptions;

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  /** What a collection's options say, compiled. */
  compileOptions(options: Document): Pick<CollectionState, 'collator' | 'validator'> {
    const collation = options.get('collation');
    const collator = collation instanceof Map ? parseCollation(collation) : undefined;
    const validator = options.get('validator');
    return {
      collator,
      validator:
        validator instanceof Map && validator.size > 0
          ? this.#compileFilter(validator, collator)
          : undefined,
    };
  }

  #compileFilter(filter: Document, collator: Collator | undefined): Filter {
    if (this.#options.compileFilter !== undefined) {
      return this.#options.compileFilter(filter, collator);
    }
    return compileFilter(filter, { collation: collator });
  }

  /** The index that every collection has. */
  idIndex(id: number, state: CollectionState): Index {
    const document: Document = new Map<string, Value>([
      ['v', 2],
      ['key', new Map([['_id', 1]])],
      ['name', '_id_'],
    ]);
    const collation = state.options.get('collation');
    if (collation !== undefined) document.set('collation', collation);
    return this.makeIndex(id, parseIndexSpec(document));
  }

  /** An index has its collection's collation unless it names another; "simple" is none. */
  withCollation(spec: Document, collection: Collection): Document {
    const own = spec.get('collation');
    if (own instanceof Map) {
      const full = parseCollation(own)?.spec;
      if (full !== undefined) return new Map(spec).set('collation', full);
      const simple = new Map(spec);
      simple.delete('collation');
      return simple;
    }
    const inherited = collection.options.get('collation');
    if (own !== undefined || inherited === undefined) return spec;
    return new Map(spec).set('collation', inherited);
  }

  /** An index with what its specification says compiled. */
  makeIndex(id: number, spec: IndexSpec, kept?: KeptOfIndex): Index {
    const collation = spec.document.get('collation');
    const collator = collation instanceof Map ? parseCollation(collation) : undefined;
    const partial = spec.document.get('partialFilterExpression');
    const filter =
      partial instanceof Map && partial.size > 0
        ? this.#compileFilter(partial, collator)
        : undefined;
    return new Index(id, spec, { filter, collator }, kept);
  }
}

/** The collation with every option spelled out; none where it is the simple one. */
export function withFullCollation(options: Document): Document {
  const collation = options.get('collation');
  if (!(collation instanceof Map)) return options;
  const full = parseCollation(collation)?.spec;
  if (full !== undefined) return options.set('collation', full);
  options.delete('collation');
  return options;
}
