/** An app that is ready to be asked. */
import type { GraphQLSchema } from 'graphql';
import { LruCache } from '../../lib/lru-cache.ts';
import type { BsonDocument } from '../../model/bson.ts';
import { type AppDefinition, type DefinitionLimits, readDefinition } from './app-definition.ts';
import { buildAppSchema } from './build-schema.ts';
import { DefinitionError } from './definition-error.ts';
import type { FieldSettings } from './field-resolver.ts';
import { unescapeKeys } from './stored-keys.ts';
import { type QueryOutcome, readQuery } from './validate-query.ts';

export interface AppSettings extends FieldSettings, DefinitionLimits {
  /** Every mapping must read the database that holds the definitions. */
  readonly restrictsDatabase: boolean;
  /** Fields in fields; 0: no bound. */
  readonly maxDepth: number;
}

const MAX_CACHED_QUERIES = 500;
// longer texts are read each time: the cache holds at most some megabytes
const MAX_CACHED_QUERY_LENGTH = 8192;

export class GraphQLApp {
  readonly definition: AppDefinition;
  readonly schema: GraphQLSchema;
  private readonly maxDepth: number;
  private readonly queries = new LruCache<string, QueryOutcome>({
    maxEntries: MAX_CACHED_QUERIES,
    ttlMs: 3_600_000,
  });

  /** @throws DefinitionError */
  constructor(definition: AppDefinition, settings: AppSettings) {
    this.definition = definition;
    this.schema = buildAppSchema(definition, settings);
    this.maxDepth = settings.maxDepth;
  }

  /** The query, parsed and judged; clients ask the same again and again. */
  readQuery(text: string): QueryOutcome {
    const known = this.queries.get(text);
    if (known !== undefined) return known;
    const outcome = readQuery(this.schema, text, this.maxDepth);
    if (outcome.kind === 'valid' && text.length <= MAX_CACHED_QUERY_LENGTH) {
      this.queries.set(text, outcome);
    }
    return outcome;
  }
}

/**
 * @param document - with its names as its author wrote them
 * @throws DefinitionError
 */
export function buildApp(document: BsonDocument, settings: AppSettings): GraphQLApp {
  return new GraphQLApp(readDefinition(document, settings), settings);
}

/**
 * @param stored - as it is in MongoDB
 * @param database - where it is stored
 * @throws DefinitionError
 */
export function buildStoredApp(
  stored: BsonDocument,
  database: string,
  settings: AppSettings,
): GraphQLApp {
  const app = buildApp(unescapeKeys(stored), settings);
  if (settings.restrictsDatabase) checkDatabases(app.definition, database);
  return app;
}

function checkDatabases({ fields }: AppDefinition, database: string): void {
  for (const [type, mappings] of fields) {
    for (const [field, mapping] of mappings) {
      if (mapping.kind === 'rename' || mapping.namespace.database === database) continue;
      throw new DefinitionError(
        `The mapping for ${type}.${field} refers to the database '${mapping.namespace.database}', but only '${database}' is allowed`,
      );
    }
  }
}
