/** Links between documents, declared by the collection property `rels` (rest-resources.md §5). */

import {
  type BsonDocument,
  type BsonValue,
  bsonTypeOf,
  isDocument,
  ObjectId,
} from '../../../../model/bson.ts';
import { writeJson } from '../../../../representation/json-writer.ts';
import { looksLikeObjectId } from '../../document-id.ts';

/** One usable entry of `rels`. */
export interface Relationship {
  readonly name: string;
  readonly type: 'ONE_TO_ONE' | 'ONE_TO_MANY' | 'MANY_TO_ONE' | 'MANY_TO_MANY';
  readonly role: 'OWNING' | 'INVERSE';
  /** Undefined: the database of the document. */
  readonly targetDatabase: string | undefined;
  readonly targetCollection: string;
  readonly refField: string;
}

/** Where the documents come from, and how their links are written. */
export interface LinkSurroundings {
  readonly database: string;
  readonly collection: string;
  /** Mongo path → request path; undefined when no mount shows it. */
  toRequestPath(mongoPath: string): string | undefined;
}

/** Links of one document by relationship name, and what could not be linked. */
export interface RelationshipLinks {
  readonly links: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

/** Usable relationships, or the warning that a definition is broken: then none applies. */
export interface RelationshipDefinitions {
  readonly relationships: readonly Relationship[];
  readonly warning: string | undefined;
}

const TYPES = ['ONE_TO_ONE', 'ONE_TO_MANY', 'MANY_TO_ONE', 'MANY_TO_MANY'] as const;
const ROLES = ['OWNING', 'INVERSE'] as const;

/** Reads `rels` of collection properties; they are not validated when they are written. */
export function readRelationships(
  properties: BsonDocument | undefined,
  database: string,
  collection: string,
): RelationshipDefinitions {
  const entries = properties?.get('rels');
  if (entries === undefined) return { relationships: [], warning: undefined };
  const relationships: Relationship[] = [];
  for (const entry of Array.isArray(entries) ? entries : [null]) {
    const relationship = isDocument(entry) ? readRelationship(entry) : undefined;
    if (relationship === undefined) {
      const warning = `collection ${database}/${collection} has invalid relationships definition`;
      return { relationships: [], warning };
    }
    relationships.push(relationship);
  }
  return { relationships, warning: undefined };
}

function readRelationship(entry: BsonDocument): Relationship | undefined {
  const name = entry.get('rel');
  const type = TYPES.find((known) => known === entry.get('type'));
  const role = ROLES.find((known) => known === entry.get('role'));
  const targetDatabase = entry.get('target-db');
  const targetCollection = entry.get('target-coll');
  const refField = entry.get('ref-field');
  if (typeof name !== 'string' || type === undefined || role === undefined) return undefined;
  if (typeof targetCollection !== 'string' || typeof refField !== 'string') return undefined;
  if (targetDatabase !== undefined && typeof targetDatabase !== 'string') return undefined;
  return { name, type, role, targetDatabase, targetCollection, refField };
}

/** The links that the relationships give one document. */
export function linkDocument(
  document: BsonDocument,
  relationships: readonly Relationship[],
  surroundings: LinkSurroundings,
): RelationshipLinks {
  const links = new Map<string, string>();
  const warnings: string[] = [];
  for (const relationship of relationships) {
    const database = relationship.targetDatabase ?? surroundings.database;
    const path = surroundings.toRequestPath(`/${database}/${relationship.targetCollection}`);
    if (path === undefined) continue;
    const suffix =
      relationship.role === 'OWNING'
        ? owningSuffix(document, relationship, surroundings, warnings)
        : inverseSuffix(document, relationship);
    if (suffix !== undefined) links.set(relationship.name, path.replace(/\/$/, '') + suffix);
  }
  return { links, warnings };
}

function isToMany({ type }: Relationship): boolean {
  return type === 'ONE_TO_MANY' || type === 'MANY_TO_MANY';
}

function owningSuffix(
  document: BsonDocument,
  relationship: Relationship,
  surroundings: LinkSurroundings,
  warnings: string[],
): string | undefined {
  const value = readReference(document, relationship.refField);
  if (value === undefined) return undefined;
  if (!isToMany(relationship)) {
    const single = Array.isArray(value) && value.length === 1 ? value[0] : value;
    return single === undefined ? undefined : `/${documentSuffix(single)}`;
  }
  if (Array.isArray(value)) {
    return `?filter={'_id':{'$in':[${value.map(toFilterText).join(',')}]}}`;
  }
  const { database, collection } = surroundings;
  const id = toPlainText(document.get('_id') ?? null);
  warnings.push(
    `in resource ${database}/${collection}/${id} the ${relationship.type} relationship ` +
      `ref-field ${relationship.refField} should be an array, but it is ${bsonTypeOf(value)}`,
  );
  return undefined;
}

function inverseSuffix(document: BsonDocument, relationship: Relationship): string {
  const id = toFilterText(document.get('_id') ?? null);
  const field = relationship.refField.replace(/^\$\./, '');
  const isFromMany = relationship.type === 'MANY_TO_ONE' || relationship.type === 'MANY_TO_MANY';
  return isFromMany
    ? `?filter={'${field}':{'$elemMatch':{'$eq':${id}}}}`
    : `?filter={'${field}':${id}}`;
}

/** Path segment and `id_type` of a referenced document. */
function documentSuffix(value: BsonValue): string {
  if (typeof value === 'string') {
    return looksLikeObjectId(value) ? `${value}?id_type=STRING` : value;
  }
  if (value instanceof ObjectId) return value.toHexString();
  return `${minify(value)}?id_type=${idTypeOf(value)}`;
}

function idTypeOf(value: BsonValue): string {
  switch (bsonTypeOf(value)) {
    case 'INT32':
    case 'INT64':
    case 'DOUBLE':
    case 'DECIMAL128':
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
      return bsonTypeOf(value);
  }
}

/** JSON without the blanks of our layout; blanks inside texts stay. */
function minify(value: BsonValue): string {
  return writeJson(value).replace(
    /("(?:[^"\\]|\\.)*")|\s+/g,
    (_whole, text: string | undefined) => text ?? '',
  );
}

function toFilterText(value: BsonValue): string {
  return typeof value === 'string' ? `'${value}'` : minify(value).replaceAll('"', "'");
}

function toPlainText(value: BsonValue): string {
  if (typeof value === 'string') return value;
  return value instanceof ObjectId ? value.toHexString() : minify(value);
}

/** A property, or for `$.a.*.b[*]` the array of all values on the path; undefined when there is none. */
function readReference(document: BsonDocument, refField: string): BsonValue | undefined {
  if (!refField.startsWith('$.')) return readProperty(document, refField);
  let values: BsonValue[] = [document];
  for (const piece of splitPath(refField.slice(2))) {
    values = values.flatMap((value) => step(value, piece));
  }
  const [only] = values;
  if (values.length === 0) return undefined;
  const isWide = /\*/.test(refField);
  return values.length === 1 && !isWide ? only : values;
}

function readProperty(document: BsonDocument, name: string): BsonValue | undefined {
  return document.get(name);
}

function splitPath(path: string): string[] {
  return path
    .replaceAll('[', '.[')
    .split('.')
    .filter((piece) => piece !== '');
}

function step(value: BsonValue, piece: string): BsonValue[] {
  if (piece === '[*]') return Array.isArray(value) ? value : [];
  const index = /^\[(\d+)\]$/.exec(piece);
  if (index !== null) {
    const item = Array.isArray(value) ? value[Number(index[1])] : undefined;
    return item === undefined ? [] : [item];
  }
  if (!isDocument(value)) return [];
  if (piece === '*') return [...value.values()];
  const member = value.get(piece);
  return member === undefined ? [] : [member];
}
