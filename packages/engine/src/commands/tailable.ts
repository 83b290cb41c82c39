import { decodeDocument } from '../bson/codec.ts';
import { type Document, RawDocument } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { type RecordId, recordIdOfKey, recordKey } from '../catalog/store-keys.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { ENTRIES_PER_PAUSE, PAUSE, type Pause } from '../lib/pause.ts';
import { compileFilter, type Filter } from '../query/filter.ts';
import type { Projection } from '../query/projection.ts';
import type { CursorSource, CursorTail } from '../session/cursor.ts';
import type { ResolvedNamespace } from './collection-reader.ts';
import type { CommandContext } from './context.ts';
import { openCursor } from './cursor-reply.ts';
import { isTrue } from './field-types.ts';
import { compileFindProjection, type FindRequest } from './find-request.ts';
import type { QueryEnvironment } from './query-environment.ts';

/**
 * Opens a tailable cursor (manual, "Tailable Cursors"): it stays at the end of a capped collection
 * and goes on with what is inserted later.
 */
export function openTailable(
  context: CommandContext,
  resolved: ResolvedNamespace,
  request: FindRequest,
  environment: QueryEnvironment,
): Document | Promise<Document> {
  const awaitData = isTrue(context.args.get('awaitData'));
  if (!isTrue(context.args.get('tailable'))) {
    throw new MongoCommandError('FailedToParse', 'Cannot set awaitData without tailable');
  }
  const { collection } = resolved;
  const natural = request.sort === undefined || request.sort.get('$natural') === 1;
  if (!natural) {
    throw new MongoCommandError(
      'BadValue',
      'cannot use tailable option with a sort other than {$natural: 1}',
    );
  }
  if (request.singleBatch) {
    throw new MongoCommandError(
      'BadValue',
      "cannot use tailable option with the 'singleBatch' option",
    );
  }
  if (collection !== undefined && collection.capped === undefined) {
    throw new MongoCommandError(
      'BadValue',
      `error processing query: ns=${collection.namespace} tailable cursor requested on non capped collection`,
    );
  }
  const source = new TailSource(context, collection, {
    filter: compileFilter(request.filter, environment.filterOptions),
    projection: compileFindProjection(request, environment),
    skip: request.skip ?? 0,
    limit: request.limit ?? Number.POSITIVE_INFINITY,
    awaitData,
  });
  return openCursor(
    context,
    {
      namespace: context.namespace(),
      source,
      noTimeout: isTrue(context.args.get('noCursorTimeout')),
    },
    { limit: request.firstBatch, singleBatch: request.singleBatch },
  );
}

interface TailOptions {
  readonly filter: Filter;
  readonly projection: Projection | undefined;
  readonly skip: number;
  readonly limit: number;
  readonly awaitData: boolean;
}

/** Reads a capped collection in natural order from where it stopped last. */
class TailSource implements CursorSource {
  readonly #context: CommandContext;
  readonly #collection: Collection | undefined;
  readonly #options: TailOptions;
  #lastId: RecordId = 0;
  #toSkip: number;
  #left: number;
  #scan: Iterator<{ id: RecordId; bytes: Uint8Array }> | undefined;
  readonly tail: CursorTail;

  constructor(context: CommandContext, collection: Collection | undefined, options: TailOptions) {
    this.#context = context;
    this.#collection = collection;
    this.#options = options;
    this.#toSkip = options.skip;
    this.#left = options.limit;
    // on an empty collection the cursor is dead at once, as on MongoDB
    const wasEmpty = collection === undefined || this.#isEmpty(collection);
    this.tail = {
      awaitData: options.awaitData,
      onMore: (wake) => context.services.oplog.onCommit(wake),
      isEnded: () => wasEmpty || this.#left <= 0 || collection.isDropped,
    };
  }

  next(): Document | RawDocument | Pause | undefined {
    const collection = this.#collection;
    if (collection === undefined || this.tail.isEnded()) return undefined;
    for (let examined = 0; examined < ENTRIES_PER_PAUSE; examined++) {
      this.#scan ??= this.#records(collection);
      const { done, value } = this.#scan.next();
      if (done) {
        this.#scan = undefined;
        return undefined;
      }
      this.#lastId = value.id;
      const result = this.#accept(value.bytes);
      if (result !== undefined) return result;
    }
    return PAUSE;
  }

  /** The next batch looks again whether its place is still there. */
  endBatch(): void {
    this.#scan?.return?.();
    this.#scan = undefined;
  }

  close(): void {
    this.#scan?.return?.();
    this.#scan = undefined;
    this.#left = 0;
  }

  #accept(bytes: Uint8Array): Document | RawDocument | undefined {
    const { filter, projection } = this.#options;
    const document = decodeDocument(bytes);
    if (!filter.matches(document)) return undefined;
    if (this.#toSkip > 0) {
      this.#toSkip -= 1;
      return undefined;
    }
    this.#left -= 1;
    if (projection === undefined) return new RawDocument(bytes);
    const positions = projection.needsPositions ? filter.positions(document) : undefined;
    return projection.apply(document, positions);
  }

  *#records(collection: Collection): Generator<{ id: RecordId; bytes: Uint8Array }> {
    const start = recordKey(collection.id, this.#lastId + 1);
    const { end } = collection.space;
    this.#checkPlace(collection);
    for (const { key, value } of this.#context.services.store.latest.range('records', {
      start,
      end,
    })) {
      const id = recordIdOfKey(key);
      yield { id, bytes: value };
    }
  }

  /** @throws CappedPositionLost when what was read last has been overwritten meanwhile */
  #checkPlace(collection: Collection): void {
    if (this.#lastId === 0) return;
    const { latest } = this.#context.services.store;
    if (latest.get('records', recordKey(collection.id, this.#lastId)) !== undefined) return;
    throw new MongoCommandError(
      'CappedPositionLost',
      'CollectionScan died due to position in capped collection being deleted.',
    );
  }

  #isEmpty(collection: Collection): boolean {
    const { prefix, end } = collection.space;
    const { latest } = this.#context.services.store;
    for (const _ of latest.range('records', { start: prefix, end, keysOnly: true })) return false;
    return true;
  }
}
