/** Definitions written through the REST API: checked, and stored with escaped names (graphql.md §3). */
import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument } from '../../model/bson.ts';
import type { Permit } from '../../model/permit.ts';
import { decodeDocument, encodeDocument, valueKey } from '../../model/raw-bson.ts';
import type { MongoAccess } from '../../mongo/mongo-access.ts';
import type { Namespace } from '../../mongo/operation-options.ts';
import type { DocumentRules } from '../rest/document-rules.ts';
import type { MongoRequest } from '../rest/rest-request.ts';
import { isUriTaken } from './app-registry.ts';
import { effectiveUri } from './app-uri.ts';
import { DefinitionError } from './definition-error.ts';
import type { AppSettings } from './graphql-app.ts';
import { escapeKeys, escapeUpdate, unescapeKeys } from './stored-keys.ts';

export interface DefinitionRulesOptions {
  readonly mongo: MongoAccess;
  readonly permit: Permit;
  readonly namespace: Namespace;
  readonly settings: AppSettings;
}

/** The rules for the collection of definitions. */
export class DefinitionRules implements DocumentRules {
  private readonly options: DefinitionRulesOptions;

  constructor(options: DefinitionRulesOptions) {
    this.options = options;
  }

  appliesTo({ databaseName, collectionName, type }: MongoRequest): boolean {
    const { database, collection } = this.options.namespace;
    return (
      databaseName === database &&
      collectionName === collection &&
      (type === 'COLLECTION' || type === 'DOCUMENT' || type === 'BULK_DOCUMENTS')
    );
  }

  show(document: Buffer): Buffer {
    return encodeDocument(unescapeKeys(decodeDocument(document)));
  }

  async checkWrite(request: MongoRequest): Promise<void> {
    const { type, method, content } = request;
    if (method === 'PATCH') {
      if (type === 'BULK_DOCUMENTS') {
        throw new QuorateError('ERR_NOT_IMPLEMENTED', {
          message: 'Bulk PATCH of GraphQL app definitions is not implemented',
        });
      }
      if (isDocument(content)) request.content = escapeUpdate(content);
      return;
    }
    if (type === 'COLLECTION' && method === 'POST' && Array.isArray(content)) {
      await this.checkAll(content);
      request.content = content.map((item) => (isDocument(item) ? escapeKeys(item) : item));
      return;
    }
    const isDocumentWrite =
      (type === 'DOCUMENT' && method === 'PUT') || (type === 'COLLECTION' && method === 'POST');
    if (!isDocumentWrite) return;
    const document = isDocument(content) ? content : new Map<string, BsonValue>();
    await this.check(type === 'DOCUMENT' ? withId(document, request.id) : document);
    request.content = escapeKeys(document);
  }

  async checkWritten(request: MongoRequest, document: BsonDocument): Promise<void> {
    await this.check(withId(unescapeKeys(document), request.id));
  }

  private async checkAll(items: readonly BsonValue[]): Promise<void> {
    const ownersByUri = new Map<string, string>();
    for (const [index, item] of items.entries()) {
      const document = isDocument(item) ? item : new Map<string, BsonValue>();
      await this.check(document, index);
      const uri = effectiveUri(document);
      if (uri === undefined) continue;
      const owner = valueKey(document.get('_id') ?? index);
      const other = ownersByUri.get(uri);
      if (other !== undefined && other !== owner) throw collision(uri);
      ownersByUri.set(uri, owner);
    }
  }

  /** @param index - of the document in an array */
  private async check(document: BsonDocument, index?: number): Promise<void> {
    const { mongo, permit, namespace, settings } = this.options;
    const { buildApp } = await import('./graphql-app.ts');
    try {
      buildApp(unescapeKeys(document), settings);
    } catch (error) {
      if (!(error instanceof DefinitionError)) throw error;
      const where = index === undefined ? '' : `document at index position ${index}: `;
      throw new QuorateError('ERR_VALIDATION_GRAPHQL_APP', {
        message: `Wrong GraphQL App definition: ${where}${error.message}`,
        exception: 'org.restheart.graphql.GraphQLIllegalAppDefinitionException',
        exceptionMessage: error.message,
      });
    }
    const uri = effectiveUri(document);
    if (uri === undefined) return;
    const isTaken = await isUriTaken(mongo, permit, namespace, { uri, id: document.get('_id') });
    if (isTaken) throw collision(uri);
  }
}

function collision(uri: string): QuorateError {
  return new QuorateError('ERR_CONFLICT_GRAPHQL_URI', {
    message: `URI collision: another GraphQL app is already accessible at /${uri}`,
  });
}

function withId(document: BsonDocument, id: BsonValue | undefined): BsonDocument {
  if (document.has('_id') || id === undefined) return document;
  return new Map<string, BsonValue>([['_id', id], ...document]);
}
