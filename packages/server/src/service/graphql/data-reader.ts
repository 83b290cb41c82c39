/** Reads of one request, each within what is left of its time. */
import { QuorateError } from '../../errors/quorate-error.ts';
import type { BsonDocument } from '../../model/bson.ts';
import type { Permit } from '../../model/permit.ts';
import { decodeDocument } from '../../model/raw-bson.ts';
import { aggregate } from '../../mongo/aggregate.ts';
import { find } from '../../mongo/find.ts';
import type { MongoAccess } from '../../mongo/mongo-access.ts';
import type { Namespace, OperationOptions } from '../../mongo/operation-options.ts';
import type { Deadline } from './deadline.ts';

/** A query mapping with everything filled in. */
export interface QueryPlan {
  readonly filter: BsonDocument;
  readonly sort: BsonDocument | undefined;
  readonly skip: number;
  /** 0: all. */
  readonly limit: number;
}

/** An aggregation mapping with everything filled in. */
export interface PipelinePlan {
  readonly stages: readonly BsonDocument[];
  readonly allowDiskUse: boolean;
}

export class DataReader {
  private readonly mongo: MongoAccess;
  private readonly permit: Permit;
  private readonly deadline: Deadline;

  /** @param permit - the app's own: rules on documents do not apply to what mappings read (graphql.md §9) */
  constructor(mongo: MongoAccess, permit: Permit, deadline: Deadline) {
    this.mongo = mongo;
    this.permit = permit;
    this.deadline = deadline;
  }

  async find(namespace: Namespace, plan: QueryPlan): Promise<BsonDocument[]> {
    const { filter, sort, skip, limit } = plan;
    // a negative limit is the same number, in one batch
    const request = { filter, sort, skip, limit: Math.abs(limit) };
    return this.run((options) => find(this.mongo, namespace, request, options));
  }

  async aggregate(
    namespace: Namespace,
    { stages, allowDiskUse }: PipelinePlan,
  ): Promise<BsonDocument[]> {
    return this.run((options) =>
      aggregate(this.mongo, namespace, { stages, allowDiskUse }, options),
    );
  }

  private async run(
    read: (options: OperationOptions) => Promise<Buffer[]>,
  ): Promise<BsonDocument[]> {
    const maxTimeMS = this.deadline.remainingMs();
    try {
      const documents = await read({ permit: this.permit, maxTimeMS });
      return documents.map(decodeDocument);
    } catch (error) {
      const isLate = error instanceof QuorateError && error.code === 'ERR_DATABASE_TIMEOUT';
      throw isLate && maxTimeMS !== undefined ? this.deadline.exceeded() : error;
    }
  }
}
