import type { Collator } from '../bson/compare.ts';
import type { Binary, Document } from '../bson/value.ts';
import type { Filter } from '../query/filter.ts';
import {
  type CappedBounds,
  type CollectionType,
  cappedBounds,
  typeOfOptions,
} from './collection-options.ts';
import type { Index } from './index.ts';
import { type KeySpace, keySpace, type RecordId } from './store-keys.ts';

/** What of a collection is replaced as a whole when it changes. */
export interface CollectionState {
  readonly database: string;
  readonly name: string;
  readonly uuid: Binary;
  readonly options: Document;
  readonly indexes: readonly Index[];
  readonly collator: Collator | undefined;
  readonly validator: Filter | undefined;
}

/**
 * A collection or view as the catalog knows it. The object stays the same through renaming and new
 * indexes; once dropped it stays dropped, so that a cursor which holds it can notice.
 */
export class Collection {
  readonly id: number;
  readonly space: KeySpace;
  isDropped = false;
  #state: CollectionState;
  #lastRecordId: RecordId;

  constructor(id: number, state: CollectionState, lastRecordId: RecordId) {
    this.id = id;
    this.space = keySpace(id);
    this.#state = state;
    this.#lastRecordId = lastRecordId;
  }

  get state(): CollectionState {
    return this.#state;
  }

  /** For the catalog alone. */
  set state(state: CollectionState) {
    this.#state = state;
  }

  get database(): string {
    return this.#state.database;
  }

  get name(): string {
    return this.#state.name;
  }

  get namespace(): string {
    return `${this.#state.database}.${this.#state.name}`;
  }

  get uuid(): Binary {
    return this.#state.uuid;
  }

  get options(): Document {
    return this.#state.options;
  }

  get type(): CollectionType {
    return typeOfOptions(this.#state.options);
  }

  /** All indexes, those being built among them. */
  get indexes(): readonly Index[] {
    return this.#state.indexes;
  }

  get idIndex(): Index | undefined {
    return this.#state.indexes.find(({ isId }) => isId);
  }

  /** The collection's own collation, used where a command names none. */
  get collator(): Collator | undefined {
    return this.#state.collator;
  }

  /** The compiled `validator` option. */
  get validator(): Filter | undefined {
    return this.#state.validator;
  }

  get capped(): CappedBounds | undefined {
    return cappedBounds(this.#state.options);
  }

  /** An id greater than any given out before; one that is not used leaves a gap. */
  takeRecordId(): RecordId {
    this.#lastRecordId += 1;
    return this.#lastRecordId;
  }
}
