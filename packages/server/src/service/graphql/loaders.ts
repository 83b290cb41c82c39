/** Fields that are loaded in batches: one loader for each field and request (graphql.md §6). */
import DataLoader from 'dataloader';
import { type BsonDocument, type BsonValue, isDocument } from '../../model/bson.ts';
import type { Namespace } from '../../mongo/operation-options.ts';
import { writeJson } from '../../representation/json-writer.ts';
import type { DataReader, PipelinePlan, QueryPlan } from './data-reader.ts';
import type { LoaderSettings } from './field-mapping.ts';

/** Counts of all loaders of a request. */
interface LoaderCounts {
  loadCount: number;
  loadErrorCount: number;
  batchInvokeCount: number;
  batchLoadCount: number;
  batchLoadExceptionCount: number;
  cacheHitCount: number;
}

interface Loadable {
  /** The filled-in mapping as text; equal texts load the same. */
  readonly key: string;
  /** What gives this one's documents, on its own or within `$facet`. */
  readonly stages: readonly BsonDocument[];
  /** Condition that holds for every document it wants, so that a batch reads no others. */
  readonly filter: BsonDocument | undefined;
  readonly allowDiskUse: boolean;
}

type FieldLoader = (item: Loadable) => Promise<BsonDocument[]>;

/** The loaders of one request. */
export class LoaderSet {
  private readonly loaders = new Map<string, FieldLoader>();
  private readonly reader: DataReader;
  private readonly counts: LoaderCounts = {
    loadCount: 0,
    loadErrorCount: 0,
    batchInvokeCount: 0,
    batchLoadCount: 0,
    batchLoadExceptionCount: 0,
    cacheHitCount: 0,
  };

  constructor(reader: DataReader) {
    this.reader = reader;
  }

  /** @param field - `Type_field` */
  loadQuery(
    field: string,
    settings: LoaderSettings,
    namespace: Namespace,
    plan: QueryPlan,
  ): Promise<BsonDocument[]> {
    const { filter, sort, skip, limit } = plan;
    const stages: BsonDocument[] = [new Map([['$match', filter]])];
    if (sort !== undefined && sort.size > 0) stages.push(new Map([['$sort', sort]]));
    if (skip > 0) stages.push(new Map([['$skip', skip]]));
    if (limit !== 0) stages.push(new Map([['$limit', Math.abs(limit)]]));
    return this.load(field, settings, namespace, { stages, filter, allowDiskUse: false });
  }

  /** @param field - `Type_field` */
  loadPipeline(
    field: string,
    settings: LoaderSettings,
    namespace: Namespace,
    plan: PipelinePlan,
  ): Promise<BsonDocument[]> {
    return this.load(field, settings, namespace, { ...plan, filter: undefined });
  }

  /** As `extensions.dataloader` shows them. */
  statistics(): Readonly<Record<string, number>> {
    const { counts } = this;
    const ratio = (count: number) => (counts.loadCount === 0 ? 0 : count / counts.loadCount);
    return {
      loadCount: counts.loadCount,
      loadErrorCount: counts.loadErrorCount,
      loadErrorRatio: ratio(counts.loadErrorCount),
      batchInvokeCount: counts.batchInvokeCount,
      batchLoadCount: counts.batchLoadCount,
      batchLoadRatio: ratio(counts.batchLoadCount),
      batchLoadExceptionCount: counts.batchLoadExceptionCount,
      batchLoadExceptionRatio: ratio(counts.batchLoadExceptionCount),
      cacheHitCount: counts.cacheHitCount,
      cacheHitRatio: ratio(counts.cacheHitCount),
    };
  }

  private load(
    field: string,
    settings: LoaderSettings,
    namespace: Namespace,
    item: Omit<Loadable, 'key'>,
  ): Promise<BsonDocument[]> {
    let loader = this.loaders.get(field);
    if (loader === undefined) {
      loader = this.createLoader(settings, namespace);
      this.loaders.set(field, loader);
    }
    const key = writeJson([...item.stages], 'extended');
    return loader({ ...item, key });
  }

  private createLoader(settings: LoaderSettings, namespace: Namespace): FieldLoader {
    const { counts } = this;
    const seen = new Set<string>();
    const loader = new DataLoader<Loadable, BsonDocument[], string>(
      (items) => this.loadBatch(namespace, items),
      {
        cache: settings.caching,
        cacheKeyFn: ({ key }) => key,
        ...(settings.maxBatchSize !== undefined && { maxBatchSize: settings.maxBatchSize }),
      },
    );
    return async (item) => {
      counts.loadCount += 1;
      if (settings.caching && seen.has(item.key)) counts.cacheHitCount += 1;
      seen.add(item.key);
      try {
        return await loader.load(item);
      } catch (error) {
        counts.loadErrorCount += 1;
        throw error;
      }
    };
  }

  private async loadBatch(
    namespace: Namespace,
    items: readonly Loadable[],
  ): Promise<BsonDocument[][]> {
    this.counts.batchInvokeCount += 1;
    this.counts.batchLoadCount += items.length;
    try {
      return await this.readBatch(namespace, items);
    } catch (error) {
      this.counts.batchLoadExceptionCount += 1;
      throw error;
    }
  }

  private async readBatch(
    namespace: Namespace,
    items: readonly Loadable[],
  ): Promise<BsonDocument[][]> {
    const [only] = items;
    if (only === undefined) return [];
    const { allowDiskUse } = only;
    if (items.length === 1) {
      return [await this.reader.aggregate(namespace, { stages: only.stages, allowDiskUse })];
    }
    const facets: BsonDocument = new Map(
      items.map(({ stages }, index) => [String(index), [...stages]]),
    );
    const stages: BsonDocument[] = [new Map([['$facet', facets]])];
    const filters = items.map(({ filter }) => filter).filter((filter) => filter !== undefined);
    if (filters.length === items.length) {
      stages.unshift(new Map([['$match', new Map([['$or', filters]])]]));
    }
    const [results] = await this.reader.aggregate(namespace, { stages, allowDiskUse });
    return items.map((_, index) => toDocuments(results?.get(String(index))));
  }
}

function toDocuments(value: BsonValue | undefined): BsonDocument[] {
  return Array.isArray(value) ? value.filter(isDocument) : [];
}
