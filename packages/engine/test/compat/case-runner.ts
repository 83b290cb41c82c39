/** Asks one database many cases at once and gives its answers as text. */
import { EJSON } from 'bson';
import { type Collection, type Db, MongoServerError } from 'mongodb';
import type { IndexCase } from './arbitrary-index.ts';
import type { Stage } from './arbitrary-pipeline.ts';
import type { DriverDocument, DriverValue } from './arbitrary-query.ts';
import type { UpdateCase } from './arbitrary-update.ts';

/** What was answered: canonical Extended JSON, or `error N`. */
export type Answer = string;

type Stored = DriverDocument & { _id?: number | string };

const PLAIN = { promoteValues: false, promoteLongs: false, promoteBuffers: false } as const;

export function write(value: DriverValue): string {
  return EJSON.stringify(value, { relaxed: false });
}

async function answerOf(work: () => Promise<DriverValue>): Promise<Answer> {
  try {
    return write(await work());
  } catch (error) {
    if (error instanceof MongoServerError) return `error ${String(error.code)}`;
    return `error ${error instanceof Error ? error.message : String(error)}`;
  }
}

export class CaseRunner {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  #collection(name: string): Collection<Stored> {
    return this.#db.collection<Stored>(name);
  }

  /** Makes a collection hold just these, with their place in the list as `_id`. */
  async fill(name: string, documents: readonly DriverDocument[]): Promise<void> {
    const collection = this.#collection(name);
    await collection.drop().catch(() => undefined);
    if (documents.length > 0) {
      await collection.insertMany(documents.map((document, _id) => ({ _id, ...document })));
    }
  }

  /** All documents as they are stored. */
  async stored(name: string): Promise<string[]> {
    const documents = await this.#collection(name)
      .find({}, { ...PLAIN, sort: { _id: 1 } })
      .toArray();
    return documents.map(write);
  }

  /** Runs each pipeline over the collection, all of them inside one `$facet` where that goes well. */
  async pipelines(name: string, pipelines: readonly Stage[][]): Promise<Answer[]> {
    const collection = this.#collection(name);
    const facets = Object.fromEntries(pipelines.map((stages, i) => [`f${i}`, stages]));
    try {
      const [answer] = await collection.aggregate([{ $facet: facets }], PLAIN).toArray();
      return pipelines.map((_, i) => write(answer?.[`f${i}`]));
    } catch (error) {
      if (!(error instanceof MongoServerError)) throw error;
    }
    if (pipelines.length > 4) {
      const middle = Math.ceil(pipelines.length / 2);
      const first = await this.pipelines(name, pipelines.slice(0, middle));
      return [...first, ...(await this.pipelines(name, pipelines.slice(middle)))];
    }
    const alone = async (stages: Stage[]) =>
      answerOf(() => collection.aggregate(stages, PLAIN).toArray());
    return Promise.all(pipelines.map(alone));
  }

  /** Each filter asked by `find`, which may plan it otherwise than a pipeline. */
  finds(name: string, commands: readonly DriverDocument[]): Promise<Answer[]> {
    const collection = this.#collection(name);
    const find = ({ filter, ...options }: DriverDocument) =>
      answerOf(() => collection.find(filter as DriverDocument, { ...PLAIN, ...options }).toArray());
    return Promise.all(commands.map(find));
  }

  /** Each update of a document of its own; answers the document, or the error. */
  async updates(name: string, cases: readonly UpdateCase[]): Promise<Answer[]> {
    await this.fill(name, []);
    const collection = this.#collection(name);
    const documents = cases.flatMap(({ document, upsert }, _id) =>
      upsert ? [] : [{ _id, ...document }],
    );
    if (documents.length > 0) await collection.insertMany(documents);
    const updates = cases.map(({ filter, update, upsert, arrayFilters }, _id) => ({
      q: { _id, ...filter },
      u: update,
      upsert,
      ...(arrayFilters !== undefined && { arrayFilters }),
    }));
    const errors = await this.#update(name, updates);
    const stored = await collection.find({}, PLAIN).toArray();
    const texts = new Map(stored.map((document) => [Number(document['_id']), write(document)]));
    return cases.map((_, _id) => {
      const error = errors.get(_id);
      return error === undefined ? (texts.get(_id) ?? 'none') : `error ${error}`;
    });
  }

  /** @returns the code of each statement that failed */
  async #update(name: string, updates: readonly DriverDocument[]): Promise<Map<number, unknown>> {
    const command = { update: name, updates: [...updates], ordered: false };
    const reply = await this.#db.command(command).catch(async (error: unknown) => {
      // one statement that cannot be read fails the whole command
      if (!(error instanceof MongoServerError)) throw error;
      if (updates.length === 1) return { writeErrors: [{ index: 0, code: error.code }] };
      return undefined;
    });
    if (reply !== undefined) {
      const failed: { index: number; code: unknown }[] = reply['writeErrors'] ?? [];
      return new Map(failed.map(({ index, code }) => [index, code]));
    }
    const errors = new Map<number, unknown>();
    for (const [index, one] of updates.entries()) {
      const [code] = (await this.#update(name, [one])).values();
      if (code !== undefined) errors.set(index, code);
    }
    return errors;
  }

  /** Makes an index, shows it, reads by it, and drops it again. */
  async index(name: string, { spec, filter }: IndexCase): Promise<Answer> {
    const collection = this.#collection(name);
    const made = await answerOf(async () => {
      await this.#db.command({ createIndexes: name, indexes: [spec] });
      return (await collection.listIndexes(PLAIN).toArray()).at(-1);
    });
    if (made.startsWith('error')) return made;
    const isWhole = spec['sparse'] !== true && spec['partialFilterExpression'] === undefined;
    const options = { ...PLAIN, sort: { _id: 1 } as const, projection: { _id: 1 } };
    const found = await answerOf(async () =>
      collection
        .find(filter, { ...options, ...(isWhole && spec['hidden'] !== true && { hint: 'tried' }) })
        .toArray(),
    );
    const doubled = await answerOf(async () => {
      const [first] = await collection.find({}, { ...PLAIN, sort: { _id: 1 }, limit: 1 }).toArray();
      await collection.insertOne({ ...first, _id: 'doubled' });
      return 'inserted';
    });
    await collection.deleteOne({ _id: 'doubled' });
    await collection.dropIndex('tried');
    return [made, found, doubled].join(' ');
  }
}
