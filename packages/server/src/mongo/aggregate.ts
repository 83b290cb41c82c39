/** Aggregation pipelines with raw results (rest-resources.md §6). */
import type { AggregateOptions } from 'mongodb';
import { type BsonDocument, type BsonValue, isDocument } from '../model/bson.ts';
import { toBuffer } from '../model/raw-bson.ts';
import { collectionOf, type MongoAccess } from './mongo-access.ts';
import type { Namespace, OperationOptions } from './operation-options.ts';
import {
  toDriverHint,
  toDriverReadOptions,
  toDriverWriteOptions,
  toPlainFields,
} from './read-options.ts';
import { runOperation } from './sessions.ts';
import { shareRead } from './shared-reads.ts';

/** A pipeline and how to run it. */
export interface AggregateRequest {
  readonly stages: readonly BsonDocument[];
  readonly allowDiskUse?: boolean | undefined;
  readonly batchSize?: number | undefined;
  readonly hint?: BsonDocument | string | undefined;
  readonly collation?: BsonDocument | undefined;
}

/**
 * Runs the stages as they are: the permit's read filter does not apply to aggregations, whose
 * authors place `@mongoPermissions.readFilter` themselves (rest-resources.md §6.2).
 */
export async function aggregate(
  mongo: MongoAccess,
  namespace: Namespace,
  request: AggregateRequest,
  options: OperationOptions,
): Promise<Buffer[]> {
  const driver: AggregateOptions = { ...toDriverReadOptions(options), raw: true };
  if (request.allowDiskUse !== undefined) driver.allowDiskUse = request.allowDiskUse;
  if (request.batchSize !== undefined) driver.batchSize = request.batchSize;
  if (request.hint !== undefined) driver.hint = toDriverHint(request.hint) as never;
  if (request.collation !== undefined) driver.collation = toPlainFields(request.collation) as never;
  if (writesOutput(request.stages)) Object.assign(driver, toDriverWriteOptions(options));
  const stages = [...request.stages];
  const run = async () => {
    const documents = await runOperation(mongo, options, (client, session) =>
      collectionOf(client, namespace)
        .aggregate(stages.map(toPlainFields), {
          ...driver,
          ...(session ? { session } : {}),
        })
        .toArray(),
    );
    return documents.map((document) => toBuffer(document as unknown as Uint8Array));
  };
  if (driver.writeConcern !== undefined || writesOutput(stages) || isRandom(stages)) return run();
  const { hint, collation, allowDiskUse, batchSize } = request;
  const details = { stages, hint, collation, allowDiskUse, batchSize };
  return shareRead(mongo, { command: 'aggregate', namespace, details }, options, run);
}

/** Whoever asks for chance wants his own. */
function isRandom(stages: readonly BsonDocument[]): boolean {
  return stages.some(usesChance);
}

function usesChance(value: BsonValue): boolean {
  if (Array.isArray(value)) return value.some(usesChance);
  if (!isDocument(value)) return false;
  for (const [name, member] of value) {
    if (name === '$sample' || name === '$rand' || name === '$sampleRate' || name === '$function')
      return true;
    if (usesChance(member)) return true;
  }
  return false;
}

function writesOutput(stages: readonly BsonDocument[]): boolean {
  const last = stages.at(-1);
  return last !== undefined && (last.has('$out') || last.has('$merge'));
}
