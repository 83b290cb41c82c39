/** What a pipeline asks of the server around it. */
import type { Collator } from '../bson/compare.ts';
import type { DateTime, Document, Timestamp, Value } from '../bson/value.ts';
import type { Pause } from '../lib/pause.ts';
import type { CompileExpression } from '../query/filter.ts';

/** A stream of documents; `PAUSE` between them is passed on by every stage. */
export type Source = Iterable<Document | Pause>;

export interface Namespace {
  readonly database: string;
  readonly collection: string;
}

/** How a pipeline reads another collection. */
export interface PipelineFindOptions {
  /** For `$expr` in the filter: knows the variables of the pipeline. */
  readonly compileExpression?: CompileExpression | undefined;
  readonly collation?: Collator | undefined;
  readonly sort?: Document | undefined;
  readonly skip?: number | undefined;
  readonly limit?: number | undefined;
}

export interface PipelineContext {
  readonly database: string;
  /** Absent for `aggregate: 1`. */
  readonly collection?: string | undefined;
  /** Values of the command's `let`, computed already (`evaluateLet`). */
  readonly variables?: ReadonlyMap<string, Value> | undefined;
  readonly now: DateTime;
  readonly clusterTime?: Timestamp | undefined;
  readonly userRoles?: readonly Value[] | undefined;
  readonly collation?: Collator | undefined;
  readonly allowDiskUse?: boolean | undefined;
  /** Reads a collection or view by its indexes, documents in the order of `sort`, else natural. */
  find(namespace: Namespace, filter?: Document, options?: PipelineFindOptions): Source;
  /** True when `find` answers equality on a field by an index; without it `$lookup` hash-joins. */
  hasIndexOn?(namespace: Namespace, field: string): boolean;
  /** Sources of documents about the server; a stage whose source is absent is refused. */
  collStats?(namespace: Namespace, spec: Document): Source;
  indexStats?(namespace: Namespace): Source;
  currentOp?(spec: Document): Source;
  listSessions?(spec: Document, localOnly: boolean): Source;
  planCacheStats?(namespace: Namespace): Source;
  /** Documents by distance, with the fields the stage's `distanceField` and so on ask for. */
  geoNear?(namespace: Namespace, spec: Document): Source;
}
