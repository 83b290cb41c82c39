/** Operation options in the driver's words. */
import type { WriteConcernSettings } from 'mongodb';
import { WriteConcern } from 'mongodb';
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { isDocument, toNumber } from '../model/bson.ts';
import { mapServerError } from './map-error.ts';
import type { ConsistencyOptions } from './operation-options.ts';

/** Options of reads. */
export interface DriverReadOptions {
  readConcern?: { level: 'local' | 'available' | 'majority' | 'linearizable' | 'snapshot' };
  readPreference?: 'primary' | 'primaryPreferred' | 'secondary' | 'secondaryPreferred' | 'nearest';
  maxTimeMS?: number;
}

/** Read concern, read preference and time limit. In a transaction the first command decided them. */
export function toDriverReadOptions(options: ConsistencyOptions): DriverReadOptions {
  const driver: DriverReadOptions = {};
  if (options.maxTimeMS !== undefined && options.maxTimeMS > 0)
    driver.maxTimeMS = options.maxTimeMS;
  if (options.session?.transactionNumber !== undefined) return driver;
  if (options.readConcern !== undefined) driver.readConcern = { level: options.readConcern };
  if (options.readPreference !== undefined) driver.readPreference = options.readPreference;
  return driver;
}

/** Options of writes. */
export interface DriverWriteOptions {
  writeConcern?: WriteConcern;
}

/** Write concern; in a transaction the commit carries it. */
export function toDriverWriteOptions(options: ConsistencyOptions): DriverWriteOptions {
  const { writeConcern } = options;
  if (writeConcern === undefined || options.session?.transactionNumber !== undefined) return {};
  // sessions need an acknowledgement; the deployment's default gives one
  if (writeConcern.w === 0 && !allowsUnacknowledged(options)) return {};
  const settings: WriteConcernSettings = {};
  if (writeConcern.w !== undefined) settings.w = writeConcern.w;
  if (writeConcern.journal !== undefined) settings.j = writeConcern.journal;
  const concern = WriteConcern.fromOptions({ writeConcern: settings });
  return concern === undefined ? {} : { writeConcern: concern };
}

/** Whether writes are acknowledged; `w: 0` outside sessions is not. */
export function isAcknowledged(options: ConsistencyOptions): boolean {
  return options.writeConcern?.w !== 0 || !allowsUnacknowledged(options);
}

function allowsUnacknowledged(options: ConsistencyOptions): boolean {
  return options.session === undefined && options.causal === undefined;
}

/** A hint as the driver takes it, which looks for the fields of a plain object. */
export function toDriverHint(hint: BsonDocument | string): string | Record<string, unknown> {
  return typeof hint === 'string' ? hint : { ...toPlainFields(hint) };
}

/**
 * A sort as the driver takes it, which refuses what the database would refuse: the errors are those
 * of rest-documents.md §3 for 15974 and 15975.
 */
export function toDriverSort(sort: BsonDocument): Map<string, 1 | -1 | { $meta: string }> {
  const driver = new Map<string, 1 | -1 | { $meta: string }>();
  for (const [name, direction] of sort) driver.set(name, toDirection(direction));
  return driver;
}

function toDirection(direction: BsonValue): 1 | -1 | { $meta: string } {
  const number = toNumber(direction);
  if (number === 1 || number === -1) return number;
  if (number !== undefined) throw mapServerError(15975, '$sort key ordering must be 1 or -1');
  if (isDocument(direction)) {
    const meta = direction.get('$meta');
    if (typeof meta === 'string' && direction.size === 1) return { $meta: meta };
    throw mapServerError(31138, 'Illegal $meta sort');
  }
  throw mapServerError(15974, 'Illegal key in $sort specification');
}

/**
 * The fields of a document as a plain object without prototype, nested values as they are: the
 * driver looks at the first name of updates and the names of stages, and sees none in a Map.
 */
export function toPlainFields(document: BsonDocument): Record<string, unknown> {
  const plain: Record<string, unknown> = Object.create(null);
  for (const [name, value] of document) plain[name] = value;
  return plain;
}
