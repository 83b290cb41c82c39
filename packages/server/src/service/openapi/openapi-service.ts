/** `/openapi.json` and `/docs`: the description of the mounted resources, for programs and for people. */

import { createHash } from 'node:crypto';
import { type BsonDocument, isDocument } from '../../model/bson.ts';
import type { HttpRequest } from '../../model/http-request.ts';
import type { Reply } from '../../model/reply.ts';
import type { RequestTraits } from '../../model/request-traits.ts';
import type { AnyService, Service } from '../../model/service.ts';
import { listCollectionNames, loadCollection } from '../../mongo/collections.ts';
import { listDatabaseNames } from '../../mongo/databases.ts';
import type { MongoAccess } from '../../mongo/mongo-access.ts';
import { findSchema } from '../../mongo/schema-store.ts';
import { toRequestPath } from '../rest/mounts.ts';
import { minify, toJsonObject } from '../rest/resources/schemas/json-form.ts';
import { toSentSchema } from '../rest/resources/schemas/stored-schema.ts';
import type { MongoRequest, RequestMount } from '../rest/rest-request.ts';
import { createDocsPage } from './docs-page.ts';
import { createOpenApiDocument } from './openapi-document.ts';
import type { DescribedCollection, Json } from './openapi-parts.ts';

/** Collections described at most; a description of more helps nobody. */
const MAX_COLLECTIONS = 500;

/** The page touches no document. */
const PAGE_TRAITS: RequestTraits = {
  flags: { management: false, bulkPatch: false, bulkDelete: false, writeMode: false },
  filter: undefined,
  databaseName: '',
  collectionName: '',
  id: undefined,
  resourceType: 'INVALID',
  readBody: async () => undefined,
};

/** What both services are made of. */
export interface OpenApiParts {
  readonly uri: string;
  readonly docsUri: string;
  readonly mongo: MongoAccess;
  /** Answers what is not for the reader page: a collection may have the same path. */
  readonly rest: Service<MongoRequest>;
  /** Fixed mounts, as requests see them. */
  readonly mounts: readonly RequestMount[];
  readonly version: string;
}

/** Makes both services. */
export function createOpenApiServices(parts: OpenApiParts): AnyService[] {
  return [descriptionService(parts), docsService(parts)];
}

function descriptionService(parts: OpenApiParts): Service {
  return {
    name: 'openApi',
    uri: parts.uri,
    match: 'exact',
    secured: true,
    async handle(request): Promise<Reply> {
      if (request.method !== 'GET') return { status: 405, headers: [] };
      const document = createOpenApiDocument({
        version: parts.version,
        serverUrl: '/',
        collections: await describeCollections(parts),
      });
      const headers = [['Content-Type', 'application/json']] as const;
      return { status: 200, headers, body: JSON.stringify(document) };
    },
  };
}

async function describeCollections({
  mongo,
  mounts,
}: OpenApiParts): Promise<DescribedCollection[]> {
  const described: DescribedCollection[] = [];
  const seen = new Set<string>();
  const databases = mounts.some(({ what }) => what === '*' || what === '/')
    ? await listDatabaseNames(mongo)
    : [...new Set(mounts.map(({ what }) => what.split('/')[1] ?? ''))];
  for (const database of databases) {
    for (const name of await listCollectionNames(mongo, database)) {
      if (name === '_schemas' || described.length >= MAX_COLLECTIONS) continue;
      for (const mount of mounts) {
        const path = toRequestPath(mount, `/${database}/${name}`);
        if (path === undefined || path === '/' || seen.has(path)) continue;
        seen.add(path);
        described.push(await describe(mongo, database, name, path));
      }
    }
  }
  return described;
}

async function describe(
  mongo: MongoAccess,
  database: string,
  name: string,
  path: string,
): Promise<DescribedCollection> {
  const { properties } = await loadCollection(mongo, { database, collection: name });
  return {
    database,
    name,
    path: path.split('/').map(encodeURIComponent).join('/'),
    kind: name.endsWith('.files') ? 'bucket' : 'collection',
    schema: await schemaOf(mongo, database, properties),
    aggregations: urisIn(properties, 'aggrs'),
    streams: urisIn(properties, 'streams'),
  };
}

function urisIn(properties: BsonDocument | undefined, key: 'aggrs' | 'streams'): string[] {
  const entries = properties?.get(key);
  if (!Array.isArray(entries)) return [];
  const uris = entries.map((entry) => (isDocument(entry) ? entry.get('uri') : undefined));
  return [...new Set(uris.filter((uri) => typeof uri === 'string'))];
}

async function schemaOf(
  mongo: MongoAccess,
  ownDatabase: string,
  properties: BsonDocument | undefined,
): Promise<{ readonly [name: string]: Json } | undefined> {
  const property = properties?.get('jsonSchema');
  if (!isDocument(property)) return undefined;
  const id = property.get('schemaId');
  const database = property.get('schemaStoreDb') ?? ownDatabase;
  if (id === undefined || typeof database !== 'string') return undefined;
  const stored = await findSchema(mongo, database, id);
  if (stored === undefined) return undefined;
  return JSON.parse(minify(toJsonObject(toSentSchema(stored))));
}

/** A browser that opens the path gets the page, every other request the REST API at the same path. */
function docsService({ docsUri, uri, rest }: OpenApiParts): Service<MongoRequest | undefined> {
  const hashOf = (text: string) => createHash('sha256').update(text).digest('base64');
  const { html, policy } = createDocsPage(uri, hashOf);
  const page: Reply = {
    status: 200,
    headers: [
      ['Content-Type', 'text/html; charset=UTF-8'],
      ['Content-Security-Policy', policy],
      ['X-Content-Type-Options', 'nosniff'],
    ],
    body: html,
  };
  return {
    ...rest,
    name: 'openApiDocs',
    uri: docsUri,
    routes: [],
    match: 'exact',
    secured: true,
    cors: (request, prepared) =>
      prepared === undefined ? undefined : rest.cors?.(request, prepared),
    traits: (request, prepared) =>
      (prepared === undefined ? undefined : rest.traits?.(request, prepared)) ?? PAGE_TRAITS,
    prepare: (request) => (isForPage(request) ? undefined : rest.prepare?.(request)),
    handle: (request, prepared, context) =>
      prepared === undefined ? page : rest.handle(request, prepared, context),
  };
}

function isForPage(request: HttpRequest): boolean {
  return request.method === 'GET' && /^\s*text\/html\b/i.test(request.header('accept') ?? '');
}
