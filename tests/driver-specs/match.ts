/** Comparing what came with what a test expects (Unified Test Format, "Evaluating Matches"). */
import { isDeepStrictEqual } from 'node:util';
import { Binary, Decimal128, Double, EJSON, Int32, Long, ObjectId } from 'bson';
import type { Fields } from './spec-file.ts';

/** Named things that `$$matchesEntity` and `$$sessionLsid` speak of. */
export interface EntityLookup {
  get(id: string): unknown;
  lsidOf(id: string): unknown;
}

/** Thrown where something is not as expected; the message says where. */
export class MismatchError extends Error {}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Date) &&
  !(value instanceof Uint8Array) &&
  !('_bsontype' in value);

function fail(path: string, expected: unknown, actual: unknown): never {
  throw new MismatchError(`${path}: expected ${show(expected)}, got ${show(actual)}`);
}

function show(value: unknown): string {
  try {
    return EJSON.stringify(value)?.slice(0, 400) ?? String(value);
  } catch {
    return String(value);
  }
}

const plain = (value: unknown): unknown =>
  value instanceof Map ? Object.fromEntries(value) : value;

/** Where a document may have more fields than expected. */
export type ExtraFields = 'nowhere' | 'at root' | 'anywhere';

/**
 * Compares one value.
 *
 * @throws MismatchError
 */
export function match(
  expected: unknown,
  given: unknown,
  entities: EntityLookup,
  path = '',
  extra: ExtraFields = 'at root',
): void {
  const actual = plain(given);
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) fail(path, expected, actual);
    for (const [i, item] of expected.entries()) {
      // documents of a batch are roots of their own
      match(item, actual[i], entities, `${path}[${i}]`, extra);
    }
    return;
  }
  if (!isFields(expected)) {
    if (!isSameScalar(expected, actual)) fail(path, expected, actual);
    return;
  }
  const special = Object.keys(expected).find((key) => key.startsWith('$$'));
  if (special !== undefined) {
    matchSpecial(special, expected[special], { actual, entities, path, extra });
    return;
  }
  if (!isObject(actual)) fail(path, expected, actual);
  const below = extra === 'anywhere' ? 'anywhere' : 'nowhere';
  for (const [key, value] of Object.entries(expected)) {
    match(value, actual[key], entities, `${path}.${key}`, below);
    if (actual[key] === undefined && !mayBeMissing(value)) fail(`${path}.${key}`, value, undefined);
  }
  if (extra !== 'nowhere') return;
  for (const [key, value] of Object.entries(actual)) {
    if (value !== undefined && !(key in expected)) fail(`${path}.${key}`, undefined, value);
  }
}

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

const mayBeMissing = (value: unknown): boolean =>
  isFields(value) && ('$$exists' in value || '$$unsetOrMatches' in value);

/**
 * Compares one event; of a server's or topology's description only what is expected counts.
 *
 * @throws MismatchError
 */
export function matchEvent(
  expected: Fields,
  event: Fields,
  entities: EntityLookup,
  path = '',
): void {
  const { hasServiceId, hasServerConnectionId, ...rest } = expected;
  const checks = [
    ['serviceId', hasServiceId, event['serviceId'] !== undefined],
    ['serverConnectionId', hasServerConnectionId, typeof event['serverConnectionId'] === 'bigint'],
  ] as const;
  for (const [name, wanted, has] of checks) {
    if (wanted !== undefined && wanted !== has) fail(`${path}.${name}`, wanted, has);
  }
  for (const [name, value] of Object.entries(rest)) {
    // the driver may say more in a command than the specification asks for
    const extra = name === 'command' ? 'anywhere' : 'at root';
    match(value, event[name], entities, `${path}.${name}`, extra);
  }
}

interface SpecialCase {
  readonly actual: unknown;
  readonly entities: EntityLookup;
  readonly path: string;
  readonly extra: ExtraFields;
}

function matchSpecial(operator: string, operand: unknown, given: SpecialCase): void {
  const { actual, entities, path, extra } = given;
  switch (operator) {
    case '$$exists':
      if ((actual !== undefined) !== operand) fail(path, { $$exists: operand }, actual);
      return;
    case '$$unsetOrMatches':
      if (actual === undefined || actual === null) return;
      match(operand, actual, entities, path, extra);
      return;
    case '$$type': {
      const types = Array.isArray(operand) ? operand : [operand];
      if (!types.some((type) => isOfType(String(type), actual))) {
        fail(path, { $$type: operand }, actual);
      }
      return;
    }
    case '$$matchesEntity':
      match(entities.get(String(operand)), actual, entities, path, extra);
      return;
    case '$$sessionLsid':
      match(entities.lsidOf(String(operand)), actual, entities, path, 'nowhere');
      return;
    case '$$matchesHexBytes':
      if (!(actual instanceof Uint8Array) || Buffer.from(actual).toString('hex') !== operand) {
        fail(path, operand, actual);
      }
      return;
    case '$$lte':
      if (!(Number(actual) <= Number(operand))) fail(path, { $$lte: operand }, actual);
      return;
    case '$$matchAsDocument':
      match(operand, EJSON.parse(String(actual), { relaxed: true }), entities, path, 'nowhere');
      return;
    case '$$matchAsRoot':
      match(operand, actual, entities, path, 'at root');
      return;
    default:
      throw new Error(`unknown operator ${operator}`);
  }
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Int32 || value instanceof Double) return Number(value.valueOf());
  if (Long.isLong(value)) return value.toNumber();
  return undefined;
}

function isSameScalar(expected: unknown, actual: unknown): boolean {
  const wanted = toNumber(expected);
  if (wanted !== undefined) return toNumber(actual) === wanted;
  if (expected === null) return actual === null || actual === undefined;
  if (expected instanceof ObjectId) return actual instanceof ObjectId && expected.equals(actual);
  if (expected instanceof Binary) {
    return (
      (actual instanceof Binary &&
        actual.sub_type === expected.sub_type &&
        Buffer.compare(actual.value(), expected.value()) === 0) ||
      (actual instanceof Uint8Array && Buffer.compare(actual, expected.value()) === 0)
    );
  }
  if (isObject(expected) && '_bsontype' in expected) {
    return isObject(actual) && EJSON.stringify(expected) === EJSON.stringify(actual);
  }
  return isDeepStrictEqual(expected, actual);
}

const TYPE_CHECKS: Record<string, (value: unknown) => boolean> = {
  double: (value) => typeof value === 'number' || value instanceof Double,
  string: (value) => typeof value === 'string',
  object: (value) => isFields(value),
  array: (value) => Array.isArray(value),
  binData: (value) => value instanceof Binary || value instanceof Uint8Array,
  objectId: (value) => value instanceof ObjectId,
  bool: (value) => typeof value === 'boolean',
  date: (value) => value instanceof Date,
  null: (value) => value === null,
  regex: (value) => value instanceof RegExp,
  int: (value) => Number.isInteger(toNumber(value)),
  long: (value) => Number.isInteger(toNumber(value)),
  decimal: (value) => value instanceof Decimal128,
  timestamp: (value) => isObject(value) && value['_bsontype'] === 'Timestamp',
};

function isOfType(type: string, value: unknown): boolean {
  if (type === 'number') return value instanceof Decimal128 || toNumber(value) !== undefined;
  const check = TYPE_CHECKS[type];
  if (check === undefined) throw new Error(`unknown type ${type}`);
  return check(value);
}
