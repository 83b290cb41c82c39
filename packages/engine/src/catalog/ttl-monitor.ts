import { DateTime, type Value } from '../bson/value.ts';
import { PAUSE } from '../lib/pause.ts';
import { nextTurn, SLICE_MS } from '../lib/sliced.ts';
import { compileFilterNode, type FilterNode } from '../query/filter.ts';
import type { Store } from '../storage/store.ts';
import type { Catalog } from './catalog.ts';
import type { Collection } from './collection.ts';
import type { Index } from './index.ts';
import { executePlan, type FoundRecord, planFind } from './planner.ts';

export interface TtlMonitorOptions {
  readonly store: Store;
  readonly catalog: Catalog;
  /**
   * Removes documents with all that belongs to it (log entries, checks that they are still the
   * same); the engine's own way of deleting.
   */
  readonly remove: (collection: Collection, records: readonly FoundRecord[]) => Promise<void>;
  readonly intervalMs?: number;
  readonly now?: () => number;
  readonly onError?: (error: unknown) => void;
}

/** MongoDB's `ttlMonitorSleepSecs`. */
const DEFAULT_INTERVAL_MS = 60_000;
const RECORDS_PER_BATCH = 500;

/**
 * Removes documents whose time is over (manual, "TTL Indexes"): those with a date in the indexed
 * field older than `expireAfterSeconds`; of several dates the earliest counts.
 */
export class TtlMonitor {
  readonly #options: TtlMonitorOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<number> | undefined;
  #isClosed = false;

  constructor(options: TtlMonitorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.run().catch((error: unknown) => this.#options.onError?.(error));
    }, this.#options.intervalMs ?? DEFAULT_INTERVAL_MS);
    this.#timer.unref();
  }

  /** One pass over all collections; the number of documents removed. */
  run(): Promise<number> {
    this.#running ??= this.#pass().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#running?.catch(() => undefined);
  }

  async #pass(): Promise<number> {
    const { catalog, store } = this.#options;
    let removed = 0;
    for (const database of catalog.databases(store.latest)) {
      for (const collection of catalog.collections(store.latest, database)) {
        for (const index of collection.indexes) {
          if (index.expireAfterSeconds === undefined || !index.isReady) continue;
          removed += await this.#expire(collection, index, index.expireAfterSeconds);
        }
        removed += await this.#expireSeries(collection);
      }
    }
    return removed;
  }

  async #expire(collection: Collection, index: Index, seconds: number): Promise<number> {
    const [field] = index.fields;
    return field === undefined ? 0 : this.#expireBy(collection, field.path, seconds, index.name);
  }

  /** Time series and clustered collections name the age on the collection itself. */
  async #expireSeries(collection: Collection): Promise<number> {
    const seconds = Number(String(collection.options.get('expireAfterSeconds') ?? 'NaN'));
    const series = collection.options.get('timeseries');
    if (!Number.isFinite(seconds)) return 0;
    const path = series instanceof Map ? series.get('timeField') : '_id';
    return typeof path === 'string' ? this.#expireBy(collection, path, seconds, undefined) : 0;
  }

  async #expireBy(
    collection: Collection,
    path: string,
    seconds: number,
    hint: string | undefined,
  ): Promise<number> {
    const now = this.#options.now?.() ?? Date.now();
    const root: FilterNode = {
      kind: 'compare',
      path,
      op: 'lte',
      value: new DateTime(now - seconds * 1000),
    };
    const usable = collection.indexes.find(({ name }) => name === hint)?.hidden === false;
    const plan = planFind(collection, {
      filter: compileFilterNode(root),
      ...(usable ? { hint: hint as Value } : {}),
    });
    let removed = 0;
    let pending: FoundRecord[] = [];
    let sliceEnd = performance.now() + SLICE_MS;
    const flush = async (): Promise<void> => {
      const records = pending;
      pending = [];
      if (records.length === 0 || collection.isDropped) return;
      await this.#options.remove(collection, records);
      removed += records.length;
    };
    for (const record of executePlan(this.#options.store.latest, plan)) {
      if (this.#isClosed) break;
      if (record !== PAUSE) pending.push(record);
      if (pending.length >= RECORDS_PER_BATCH) await flush();
      if (performance.now() > sliceEnd) {
        await nextTurn();
        sliceEnd = performance.now() + SLICE_MS;
      }
    }
    await flush();
    return removed;
  }
}
