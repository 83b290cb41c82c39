/** Validation of documents by the schema that their collection names (rest-resources.md §4.2). */

import { QuorateError } from '../../../../errors/quorate-error.ts';
import { LruCache } from '../../../../lib/lru-cache.ts';
import {
  type BsonDocument,
  type BsonValue,
  bsonTypeOf,
  isDocument,
  ObjectId,
} from '../../../../model/bson.ts';
import type { MongoAccess } from '../../../../mongo/mongo-access.ts';
import { findSchema } from '../../../../mongo/schema-store.ts';
import { writeJson } from '../../../../representation/json-writer.ts';
import { parseDocumentId } from '../../document-id.ts';
import type { ContentChecks, DocumentValidator } from '../../handler.ts';
import type { RestConfig } from '../../rest-config.ts';
import { type Check, SchemaError } from './check.ts';
import { collectReferences, compileSchema } from './compile-schema.ts';
import { type JsonObject, toJsonObject } from './json-form.ts';
import { META_SCHEMA, META_SCHEMA_URL } from './meta-schema.ts';
import { schemaUrl, toSentSchema } from './stored-schema.ts';
import { listViolations } from './violation.ts';

const MAX_CACHED_SCHEMAS = 1000;
/** Schemas reached through `$ref` from one schema. */
const MAX_REFERENCED_DOCUMENTS = 200;
const STORE_URL = /^http:\/\/schema-store\/([^/]+)\/(.+)$/;

function wrongProperty(reason: string, cause?: unknown): QuorateError {
  return new QuorateError('ERR_VALIDATION_SCHEMA', {
    status: 500,
    message: `wrong 'jsonSchema': ${reason}`,
    cause,
  });
}

/** Makes the checks that the REST service applies to document writes; compiled schemas are kept for a while. */
export function createSchemaChecks(parts: {
  readonly mongo: MongoAccess;
  readonly config: Pick<RestConfig, 'schemaCache'>;
  /** Registers what is to be called when any store may have changed, whichever node did it. */
  readonly onStoreChange?: (drop: () => void) => void;
}): ContentChecks {
  const { mongo, config } = parts;
  const { enabled, ttlMs } = config.schemaCache;
  const cache = new LruCache<string, Promise<Check>>({ maxEntries: MAX_CACHED_SCHEMAS, ttlMs });
  // schemas refer to others, of other stores too: all of them go
  parts.onStoreChange?.(() => cache.clear());

  function loadCheck(database: string, id: BsonValue): Promise<Check> {
    if (!enabled) return load(database, id);
    const key = `${database}\0${writeJson(id)}`;
    const known = cache.get(key);
    if (known !== undefined) return known;
    const loading = load(database, id);
    cache.set(key, loading);
    // a schema that could not be loaded may appear any moment
    loading.catch(() => cache.delete(key));
    return loading;
  }

  async function load(database: string, id: BsonValue): Promise<Check> {
    const stored = await findSchema(mongo, database, id);
    if (stored === undefined) {
      throw wrongProperty(`schema ${database}/_schemas/${toText(id)} not found`);
    }
    const schema = toJsonObject(withoutStoreMembers(toSentSchema(stored)));
    const url = schemaUrl(database, id);
    try {
      return compileSchema(schema, url, await loadReferences(schema, url));
    } catch (cause) {
      throw cause instanceof SchemaError ? wrongProperty(cause.message, cause) : cause;
    }
  }

  /** All documents that are reachable by `$ref`; nothing is fetched over the network. */
  async function loadReferences(schema: JsonObject, url: string): Promise<Map<string, JsonObject>> {
    const documents = new Map([[META_SCHEMA_URL, META_SCHEMA]]);
    let missing = [...collectReferences(schema, url)];
    while (missing.length > 0) {
      const next: string[] = [];
      for (const target of missing) {
        if (target === url || documents.has(target)) continue;
        if (documents.size > MAX_REFERENCED_DOCUMENTS) throw new SchemaError('too many references');
        const document = await loadReferenced(target);
        documents.set(target, document);
        next.push(...collectReferences(document, target));
      }
      missing = next;
    }
    return documents;
  }

  async function loadReferenced(url: string): Promise<JsonObject> {
    const [, database, token] = STORE_URL.exec(url) ?? [];
    if (database === undefined || token === undefined) {
      throw new SchemaError(
        `reference to ${url} refused: only schemas of this server's stores can be referred to`,
      );
    }
    const id = parseDocumentId(decodeURIComponent(token), 'STRING_OID');
    const stored = await findSchema(mongo, decodeURIComponent(database), id);
    if (stored === undefined) {
      throw new SchemaError(`schema ${database}/_schemas/${token} not found`);
    }
    return toJsonObject(withoutStoreMembers(toSentSchema(stored)));
  }

  return {
    async loadDocumentValidator(request) {
      const property = request.collectionProperties?.get('jsonSchema');
      if (!isDocument(property)) return undefined;
      const { database, id } = readSchemaProperty(property, request.databaseName);
      return validatorOf(await loadCheck(database, id), id);
    },
  };
}

/** `_id` and `_etag` are the store's, not the schema's; `id` is that of the client's URL space and stays. */
function withoutStoreMembers(schema: BsonDocument): BsonDocument {
  const bare: BsonDocument = new Map(schema);
  bare.delete('_id');
  bare.delete('_etag');
  return bare;
}

function readSchemaProperty(
  property: BsonDocument,
  ownDatabase: string,
): { database: string; id: BsonValue } {
  const id = property.get('schemaId');
  if (id === undefined) throw wrongProperty('missing property schemaId');
  const database = property.get('schemaStoreDb') ?? ownDatabase;
  if (typeof database !== 'string') {
    throw wrongProperty('property schemaStoreDb must be a string');
  }
  if (UNUSABLE_IDS.has(bsonTypeOf(id))) throw wrongProperty("schema 'id' is not valid");
  return { database, id };
}

/** Types of `_id` that no schema URL can name. */
const UNUSABLE_IDS: ReadonlySet<string> = new Set([
  'DOCUMENT',
  'ARRAY',
  'BINARY',
  'TIMESTAMP',
  'REGULAR_EXPRESSION',
  'SYMBOL',
  'JAVASCRIPT',
  'JAVASCRIPT_WITH_SCOPE',
  'DECIMAL128',
]);

function toText(id: BsonValue): string {
  if (typeof id === 'string') return id;
  return id instanceof ObjectId ? id.toHexString() : writeJson(id);
}

function validatorOf(check: Check, id: BsonValue): DocumentValidator {
  return (document) => {
    const failure = runCheck(check, document);
    if (failure === undefined) return;
    const [first = '', ...rest] = listViolations(failure);
    const texts = [first.replace(/^#: /, ''), ...rest];
    const name = typeof id === 'string' ? `'${id}'` : toText(id);
    throw new QuorateError('ERR_VALIDATION_DOCUMENT', {
      message: `Request content violates schema ${name}: ${texts.join(', ')}`,
    });
  };
}

function runCheck(check: Check, document: BsonDocument) {
  try {
    return check(toJsonObject(document));
  } catch (cause) {
    throw cause instanceof SchemaError ? wrongProperty(cause.message, cause) : cause;
  }
}
