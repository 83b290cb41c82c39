/** The audit log in a capped collection: the oldest entries make room for the new ones. */
import { QUORATE_DATABASE } from './key-store.ts';
import { collectionOf, databaseOf, type MongoAccess, mapped } from './mongo-access.ts';

const NAMESPACE = { database: QUORATE_DATABASE, collection: 'audit' };
const NAMESPACE_EXISTS = 48;
const FLUSH_MS = 250;
const MAX_WAITING = 10_000;
const BATCH = 1000;

/** Entries go in by batches; what the database cannot take in time is in the log alone. */
export class AuditStore {
  private readonly mongo: MongoAccess;
  private readonly options: {
    readonly maxBytes: number;
    readonly node: string;
    readonly warn: (message: string, error: unknown) => void;
  };
  private waiting: Readonly<Record<string, unknown>>[] = [];
  private lost = 0;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private isMade = false;

  /** @param options - `node`: names this process in the entries */
  constructor(mongo: MongoAccess, options: AuditStore['options']) {
    this.mongo = mongo;
    this.options = options;
  }

  add(entry: object): void {
    if (this.waiting.length >= MAX_WAITING) {
      this.lost += 1;
      return;
    }
    this.waiting.push({ ...entry, node: this.options.node });
    this.timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  /** Writes what waits; never rejects. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.running ??= this.write().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, BATCH);
      try {
        await mapped(async () => {
          if (!this.isMade) await this.make();
          await collectionOf(this.mongo.client, NAMESPACE).insertMany(batch as never);
        });
        this.waiting = this.waiting.slice(batch.length);
      } catch (error) {
        this.options.warn('The audit log cannot be written to its collection', error);
        this.timer ??= setTimeout(() => void this.flush(), 10 * FLUSH_MS).unref();
        return;
      }
    }
    if (this.lost > 0)
      this.options.warn(`${this.lost} audit entries are in the log only`, undefined);
    this.lost = 0;
  }

  private async make(): Promise<void> {
    try {
      await databaseOf(this.mongo.client, NAMESPACE.database).createCollection(
        NAMESPACE.collection,
        { capped: true, size: this.options.maxBytes },
      );
    } catch (error) {
      if ((error as { code?: unknown }).code !== NAMESPACE_EXISTS) throw error;
    }
    this.isMade = true;
  }
}
