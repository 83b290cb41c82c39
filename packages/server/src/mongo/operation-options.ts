/** What every operation on data is told besides what it is to do. */
import type { BsonDocument, BsonValue, Timestamp } from '../model/bson.ts';
import type { Permit } from '../model/permit.ts';

/** A collection of a database. */
export interface Namespace {
  readonly database: string;
  readonly collection: string;
}

/** The client-chosen session an operation runs in, and its transaction (rest-resources.md §8). */
export interface OperationSession {
  /** UUID. */
  readonly sessionId: string;
  readonly transactionNumber?: number | undefined;
}

/** MongoDB's write concern; empty is the deployment's default. */
export interface OperationWriteConcern {
  readonly w?: number | 'majority' | undefined;
  readonly journal?: boolean | undefined;
}

/** Causal consistency through a load balancer: what to see at least, and what was seen. */
export interface CausalToken {
  /** The operation sees at least this time. */
  readonly after?: Timestamp | undefined;
  /** Set by the operation: its time, to be handed to the client. */
  operationTime?: Timestamp | undefined;
}

/**
 * Operations whose keys are equal may be sent together. A time that the database refuses is its client's own affair, so
 * only those that name the same one share an operation.
 */
export function causalKeyOf(token: CausalToken | undefined): string {
  if (token === undefined) return '';
  return token.after === undefined ? 'causal' : `causal ${token.after.t}.${token.after.i}`;
}

/**
 * One token for several operations that are sent together: it waits for the latest of their times,
 * and what it saw is told to all.
 */
export function mergeCausalTokens(tokens: readonly CausalToken[]): CausalToken | undefined {
  const [first, ...others] = tokens;
  if (first === undefined) return undefined;
  if (others.length === 0) return first;
  let after = first.after;
  for (const token of others) {
    if (token.after !== undefined && (after === undefined || token.after.greaterThan(after))) {
      after = token.after;
    }
  }
  return {
    after,
    get operationTime() {
      return first.operationTime;
    },
    set operationTime(time: Timestamp | undefined) {
      for (const token of tokens) token.operationTime = time;
    },
  };
}

/** Where and how surely; all optional. */
export interface ConsistencyOptions {
  readonly session?: OperationSession | undefined;
  readonly readConcern?:
    | 'local'
    | 'available'
    | 'majority'
    | 'linearizable'
    | 'snapshot'
    | undefined;
  readonly readPreference?:
    | 'primary'
    | 'primaryPreferred'
    | 'secondary'
    | 'secondaryPreferred'
    | 'nearest'
    | undefined;
  readonly writeConcern?: OperationWriteConcern | undefined;
  /** Time limit in the database, milliseconds; 0 is none. */
  readonly maxTimeMS?: number | undefined;
  readonly causal?: CausalToken | undefined;
}

/** Options of an operation that touches data: the permit's filters are ANDed to its conditions. */
export interface OperationOptions extends ConsistencyOptions {
  readonly permit: Permit;
}

/** Which document, and which of its fields. */
export interface FindOneRequest {
  readonly id: BsonValue;
  readonly projection?: BsonDocument | undefined;
  readonly filter?: BsonDocument | undefined;
  readonly shardKey?: BsonDocument | undefined;
  readonly hint?: BsonDocument | string | undefined;
}

/** The AND of filters; empty and missing ones are skipped. */
export function andFilters(...filters: readonly (BsonDocument | undefined)[]): BsonDocument {
  const present = filters.filter(
    (filter): filter is BsonDocument => filter !== undefined && filter.size > 0,
  );
  const [only] = present;
  if (only === undefined) return new Map();
  return present.length === 1 ? only : new Map([['$and', present]]);
}
