/** Links of documents to other collections by the `rels` property (rest-resources.md §5). */
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { bsonTypeOf, isDocument, ObjectId } from '../model/bson.ts';
import { writeJson } from './json-writer.ts';

type RelationshipType = 'ONE_TO_ONE' | 'ONE_TO_MANY' | 'MANY_TO_ONE' | 'MANY_TO_MANY';

/** One valid definition. */
export interface Relationship {
  readonly rel: string;
  readonly type: RelationshipType;
  readonly role: 'OWNING' | 'INVERSE';
  /** Undefined: the database of the collection itself. */
  readonly targetDatabase: string | undefined;
  readonly targetCollection: string;
  readonly refField: string;
}

/** Where documents with relationships live, and how their targets are shown. */
export interface RelationshipContext {
  readonly database: string;
  readonly collection: string;
  /** The request path of a mongo path below the same mount. */
  toRequestPath(mongoPath: string): string | undefined;
}

const TYPES: readonly RelationshipType[] = [
  'ONE_TO_ONE',
  'ONE_TO_MANY',
  'MANY_TO_ONE',
  'MANY_TO_MANY',
];

/**
 * The definitions in a collection's properties; `undefined` when any is invalid, for then none
 * counts.
 */
export function readRelationships(
  properties: BsonDocument | undefined,
): readonly Relationship[] | undefined {
  const rels = properties?.get('rels');
  if (rels === undefined) return [];
  if (!Array.isArray(rels)) return undefined;
  const relationships: Relationship[] = [];
  for (const item of rels) {
    const relationship = isDocument(item) ? readRelationship(item) : undefined;
    if (relationship === undefined) return undefined;
    relationships.push(relationship);
  }
  return relationships;
}

function readRelationship(item: BsonDocument): Relationship | undefined {
  const rel = item.get('rel');
  const type = TYPES.find((known) => known === item.get('type'));
  const role = item.get('role');
  const targetDatabase = item.get('target-db');
  const targetCollection = item.get('target-coll');
  const refField = item.get('ref-field');
  if (typeof rel !== 'string' || type === undefined) return undefined;
  if (role !== 'OWNING' && role !== 'INVERSE') return undefined;
  if (typeof targetCollection !== 'string' || typeof refField !== 'string') return undefined;
  if (targetDatabase !== undefined && typeof targetDatabase !== 'string') return undefined;
  return { rel, type, role, targetDatabase, targetCollection, refField };
}

/** The warning of a collection whose definitions are invalid. */
export function invalidRelationshipsWarning(context: RelationshipContext): string {
  return `collection ${context.database}/${context.collection} has invalid relationships definition`;
}

/** The links of one document, in the order of the definitions; warnings are added to the list. */
export function relationshipLinks(
  document: BsonDocument,
  relationships: readonly Relationship[],
  context: RelationshipContext,
  warnings: string[],
): { readonly rel: string; readonly href: string }[] {
  const links: { rel: string; href: string }[] = [];
  for (const relationship of relationships) {
    const href = hrefOf(document, relationship, context, warnings);
    if (href !== undefined) links.push({ rel: relationship.rel, href });
  }
  return links;
}

function hrefOf(
  document: BsonDocument,
  relationship: Relationship,
  context: RelationshipContext,
  warnings: string[],
): string | undefined {
  const { type, role, targetDatabase, targetCollection, refField } = relationship;
  const target = context.toRequestPath(
    `/${targetDatabase ?? context.database}/${targetCollection}`,
  );
  if (target === undefined) return undefined;
  const manyTargets = type === 'ONE_TO_MANY' || type === 'MANY_TO_MANY';
  if (role === 'INVERSE') {
    const id = idInFilter(document.get('_id') ?? null);
    const refersToMany = type === 'MANY_TO_ONE' || type === 'MANY_TO_MANY';
    return refersToMany
      ? `${target}?filter={'${refField}':{'$elemMatch':{'$eq':${id}}}}`
      : `${target}?filter={'${refField}':${id}}`;
  }
  const value = resolveField(document, refField);
  if (value === undefined) return undefined;
  if (!manyTargets) return idHref(target, value);
  if (!Array.isArray(value)) {
    const resource = `${context.database}/${context.collection}/${describeId(document.get('_id'))}`;
    warnings.push(
      `in resource ${resource} the ${type} relationship ref-field ${refField} should be an array, but it is ${bsonTypeOf(value)}`,
    );
    return undefined;
  }
  return `${target}?filter={'_id':{'$in':[${value.map(idInFilter).join(',')}]}}`;
}

function idHref(target: string, value: BsonValue): string | undefined {
  if (Array.isArray(value)) {
    const [only] = value;
    return value.length === 1 && only !== undefined ? idHref(target, only) : undefined;
  }
  if (value instanceof ObjectId) return `${target}/${value.toHexString()}`;
  if (typeof value === 'string') {
    return /^[0-9a-f]{24}$/i.test(value)
      ? `${target}/${value}?id_type=STRING`
      : `${target}/${value}`;
  }
  const idType = idTypeOf(value);
  return idType === undefined ? undefined : `${target}/${minify(value)}?id_type=${idType}`;
}

function idTypeOf(value: BsonValue): string | undefined {
  switch (bsonTypeOf(value)) {
    case 'INT32':
    case 'INT64':
    case 'DOUBLE':
      return 'NUMBER';
    case 'DATE_TIME':
      return 'DATE';
    case 'BOOLEAN':
      return 'BOOLEAN';
    case 'NULL':
      return 'NULL';
    case 'MIN_KEY':
      return 'MINKEY';
    case 'MAX_KEY':
      return 'MAXKEY';
    default:
      return undefined;
  }
}

function idInFilter(value: BsonValue): string {
  return typeof value === 'string' ? `'${value}'` : minify(value).replaceAll('"', "'");
}

function describeId(id: BsonValue | undefined): string {
  if (id === undefined) return 'null';
  if (typeof id === 'string') return id;
  return id instanceof ObjectId ? id.toHexString() : minify(id);
}

/** JSON without the spaces between tokens. */
function minify(value: BsonValue): string {
  return writeJson(value).replace(
    /("(?:[^"\\]|\\.)*")|\s+/g,
    (_, text: string | undefined) => text ?? '',
  );
}

/**
 * The value a reference field names: a property, or a path `$.a.*.b[*]` where `*` is any name and
 * `[*]` any element; paths with wildcards give the array of all values.
 */
export function resolveField(document: BsonDocument, field: string): BsonValue | undefined {
  if (!field.startsWith('$.')) return document.get(field);
  const steps = field
    .slice(2)
    .replaceAll('[', '.[')
    .split('.')
    .filter((step) => step !== '');
  const many = steps.some((step) => step === '*' || step === '[*]');
  let values: BsonValue[] = [document];
  for (const step of steps) values = values.flatMap((value) => follow(value, step));
  if (!many) return values[0];
  return values.length === 0 ? undefined : values;
}

function follow(value: BsonValue, step: string): BsonValue[] {
  if (Array.isArray(value)) {
    if (step === '[*]') return value;
    const index = /^\[(\d+)\]$/.exec(step)?.[1];
    const item = index === undefined ? undefined : value[Number(index)];
    return item === undefined ? [] : [item];
  }
  if (!isDocument(value)) return [];
  if (step === '*') return [...value.values()];
  const inner = value.get(step);
  return inner === undefined ? [] : [inner];
}
