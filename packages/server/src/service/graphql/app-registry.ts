/** The apps of the configured collection, kept built and kept up to date (graphql.md §4). */
import { RepeatedTask } from '../../lib/repeated-task.ts';
import type { BsonDocument, BsonValue } from '../../model/bson.ts';
import type { Permit } from '../../model/permit.ts';
import { decodeDocument } from '../../model/raw-bson.ts';
import { find } from '../../mongo/find.ts';
import type { MongoAccess } from '../../mongo/mongo-access.ts';
import type { Namespace } from '../../mongo/operation-options.ts';
import { uriOf } from './app-uri.ts';
import { DefinitionError } from './definition-error.ts';
import type { AppSettings, GraphQLApp } from './graphql-app.ts';

/** An app, or why its definition cannot be served. */
export type AppLookup =
  | { readonly kind: 'app'; readonly app: GraphQLApp }
  | { readonly kind: 'invalid'; readonly reason: string };

export interface AppRegistryOptions {
  readonly mongo: MongoAccess;
  readonly permit: Permit;
  /** Where the definitions are. */
  readonly namespace: Namespace;
  readonly settings: AppSettings;
  /** False: definitions are read and built for each request. */
  readonly isCaching: boolean;
  readonly warn: (message: string, error: unknown) => void;
}

interface Entry {
  readonly stored: Buffer;
  readonly lookup: AppLookup;
}

export class AppRegistry {
  private readonly options: AppRegistryOptions;
  /** By the bytes of the definition, so that what has not changed is not built again. */
  private entries: readonly Entry[] = [];
  private byUri: ReadonlyMap<string, AppLookup> = new Map();
  private readonly refreshing = new RepeatedTask(() => this.reloadOrWarn());

  constructor(options: AppRegistryOptions) {
    this.options = options;
  }

  /**
   * The app that is served under a URI; undefined when there is none.
   *
   * @param uri - below the service's own, without a slash in front
   * @param database - where definitions are looked for instead
   * @throws ERR_DATABASE_* when it has to be read and cannot be
   */
  async find(uri: string, database: string | undefined): Promise<AppLookup | undefined> {
    const { namespace, isCaching } = this.options;
    const isOwn = database === undefined || database === namespace.database;
    const kept = isCaching && isOwn ? this.byUri.get(uri) : undefined;
    if (kept !== undefined) return kept;
    // what was written by another node a moment ago; that an app does not exist is not remembered
    const [stored] = await this.read(
      isOwn ? namespace : { ...namespace, database: database ?? namespace.database },
      servedAs(uri),
    );
    if (stored === undefined) return undefined;
    if (isCaching && isOwn) void this.refresh();
    return this.build(stored, database ?? namespace.database);
  }

  /**
   * Reads all definitions again. One that runs already is followed by another, so that what was
   * written before the call is seen when it resolves. Never rejects: what is kept stays as it was.
   */
  refresh(): Promise<void> {
    if (!this.options.isCaching) return Promise.resolve();
    return this.refreshing.request();
  }

  private async reloadOrWarn(): Promise<void> {
    try {
      await this.reload();
    } catch (error) {
      this.options.warn('The definitions of GraphQL apps could not be read again', error);
    }
  }

  private async reload(): Promise<void> {
    const { namespace, warn } = this.options;
    const all = await this.read(namespace, ENABLED);
    const entries: Entry[] = [];
    const byUri = new Map<string, AppLookup>();
    const byId = new Map<string, AppLookup>();
    for (const stored of all) {
      const kept = this.entries.find((entry) => entry.stored.equals(stored));
      const lookup = kept?.lookup ?? (await this.build(stored, namespace.database));
      if (kept === undefined && lookup.kind === 'invalid') {
        warn(`A GraphQL app is not served: ${lookup.reason}`, undefined);
      }
      entries.push({ stored, lookup });
      const document = decodeDocument(stored);
      const uri = uriOf(document);
      const id = document.get('_id');
      if (uri !== undefined && !byUri.has(uri)) byUri.set(uri, lookup);
      if (typeof id === 'string' && !byId.has(id)) byId.set(id, lookup);
    }
    this.entries = entries;
    this.byUri = new Map([...byId, ...byUri]);
  }

  private async build(stored: Buffer, database: string): Promise<AppLookup> {
    // the library takes time to load, and most nodes have no apps
    const { buildStoredApp } = await import('./graphql-app.ts');
    try {
      const app = buildStoredApp(decodeDocument(stored), database, this.options.settings);
      return { kind: 'app', app };
    } catch (error) {
      if (!(error instanceof DefinitionError)) throw error;
      return { kind: 'invalid', reason: error.message };
    }
  }

  private read(namespace: Namespace, filter: BsonDocument): Promise<Buffer[]> {
    const { mongo, permit } = this.options;
    return find(mongo, namespace, { filter }, { permit });
  }
}

const ENABLED: BsonDocument = new Map([['descriptor.enabled', new Map([['$ne', false]])]]);

/** A definition that is reachable under a URI, by its uri or by its id. */
function servedAs(uri: string): BsonDocument {
  return new Map<string, BsonDocument[]>([['$and', [accessibleAt(uri, false), ENABLED]]]);
}

/** @param byUriOnly - an id counts only where there is no uri */
function accessibleAt(uri: string, byUriOnly: boolean): BsonDocument {
  const byUri: BsonDocument = new Map([['descriptor.uri', new Map([['$in', [uri, `/${uri}`]]])]]);
  const byId: BsonDocument = new Map([['_id', uri]]);
  if (byUriOnly) byId.set('descriptor.uri', null);
  return new Map([['$or', [byUri, byId]]]);
}

/**
 * Whether another definition than `id` has the effective URI `uri`.
 *
 * @throws ERR_DATABASE_*
 */
export async function isUriTaken(
  mongo: MongoAccess,
  permit: Permit,
  namespace: Namespace,
  { uri, id }: { readonly uri: string; readonly id: BsonValue | undefined },
): Promise<boolean> {
  const isOther: BsonDocument = new Map([['_id', new Map([['$ne', id ?? null]])]]);
  const filter: BsonDocument = new Map([['$and', [accessibleAt(uri, true), isOther]]]);
  const projection: BsonDocument = new Map([['_id', 1]]);
  const found = await find(mongo, namespace, { filter, projection, limit: 1 }, { permit });
  return found.length > 0;
}
