/** A backup over the wire, of any MongoDB: every collection as it is at one cluster time. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { deserialize, EJSON } from 'bson';
import { type ClientSession, type Document, MongoClient } from 'mongodb';

const MANIFEST = 'manifest.json';
const FORMAT = 'quorate-dump 1';
const SYSTEM_DATABASES: ReadonlySet<string> = new Set(['admin', 'config', 'local']);
const BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_DOCUMENTS = 1000;
const LENGTH_BYTES = 4;

interface DumpedCollection {
  readonly database: string;
  readonly name: string;
  readonly type: string;
  readonly options: Document;
  readonly indexes: Document[];
  /** Absent for views. */
  readonly file?: string;
  readonly documents?: number;
}

export interface DumpCount {
  readonly collections: number;
  readonly documents: number;
}

/** Raw documents: what is copied is not looked into. */
const RAW = { raw: true, promoteValues: false } as const;
const KEEP_TYPES = { promoteValues: false, bsonRegExp: true } as const;

/** Writes all databases but MongoDB's own into `folder`, which must be empty. */
export async function dumpDatabases(uri: string, folder: string): Promise<DumpCount> {
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) throw new Error(`${folder} is not empty`);
  const client = await MongoClient.connect(uri);
  const session = client.startSession({ snapshot: true });
  try {
    const dumped: DumpedCollection[] = [];
    for (const collection of await listAll(client)) {
      dumped.push(await dumpCollection(client, session, collection, folder, dumped.length));
    }
    const manifest = { format: FORMAT, takenAt: new Date(), collections: dumped };
    const unfinished = join(folder, `${MANIFEST}.unfinished`);
    await writeFile(unfinished, EJSON.stringify(manifest, undefined, 2, { relaxed: false }));
    // the manifest makes it a backup: it comes last
    await rename(unfinished, join(folder, MANIFEST));
    return count(dumped);
  } finally {
    await session.endSession();
    await client.close();
  }
}

async function listAll(client: MongoClient): Promise<DumpedCollection[]> {
  const all: DumpedCollection[] = [];
  const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
  for (const { name: database } of databases) {
    if (SYSTEM_DATABASES.has(database)) continue;
    const db = client.db(database);
    for (const { name, type = 'collection', options = {} } of await db
      .listCollections({}, { nameOnly: false })
      .toArray()) {
      if (name.startsWith('system.')) continue;
      const isView = type === 'view';
      const indexes = isView ? [] : await db.collection(name).listIndexes().toArray();
      all.push({ database, name, type, options, indexes });
    }
  }
  return all;
}

async function dumpCollection(
  client: MongoClient,
  session: ClientSession,
  collection: DumpedCollection,
  folder: string,
  number: number,
): Promise<DumpedCollection> {
  if (collection.type === 'view') return collection;
  const file = `${String(number).padStart(5, '0')}.bson`;
  const output = createWriteStream(join(folder, file));
  let documents = 0;
  const cursor = client
    .db(collection.database)
    .collection(collection.name)
    .find({}, { ...RAW, session });
  try {
    for await (const document of cursor) {
      documents += 1;
      if (!output.write(document)) {
        await new Promise<void>((resolve) => {
          output.once('drain', resolve);
        });
      }
    }
  } finally {
    output.end();
    await finished(output);
  }
  return { ...collection, file, documents };
}

/** Puts a dump back; none of its collections may exist. */
export async function loadDatabases(uri: string, folder: string): Promise<DumpCount> {
  const manifest = EJSON.parse(await readFile(join(folder, MANIFEST), 'utf8')) as {
    format: string;
    collections: DumpedCollection[];
  };
  if (manifest.format !== FORMAT) throw new Error(`${folder} holds no dump of a known format`);
  const client = await MongoClient.connect(uri);
  try {
    const plain = manifest.collections.filter(({ type }) => type !== 'view');
    const views = manifest.collections.filter(({ type }) => type === 'view');
    // a view stands on what must be there before it
    for (const collection of [...plain, ...views]) {
      await loadCollection(client, collection, folder);
    }
    return count(manifest.collections);
  } finally {
    await client.close();
  }
}

async function loadCollection(
  client: MongoClient,
  { database, name, options, indexes, file }: DumpedCollection,
  folder: string,
): Promise<void> {
  const db = client.db(database);
  await db.command({ create: name, ...options });
  if (file === undefined) return;
  const collection = db.collection(name);
  let batch: Document[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    // validators judge new writes, not what was stored before them
    if (batch.length > 0) await collection.insertMany(batch, { bypassDocumentValidation: true });
    batch = [];
    bytes = 0;
  };
  for await (const document of readDocuments(join(folder, file))) {
    batch.push(deserialize(document, KEEP_TYPES));
    bytes += document.length;
    if (bytes > BATCH_BYTES || batch.length >= BATCH_DOCUMENTS) await flush();
  }
  await flush();
  const more = indexes.filter((index) => index['name'] !== '_id_').map(withoutVersion);
  if (more.length > 0) await db.command({ createIndexes: name, indexes: more });
}

/** The documents of a file one after another, each as its bytes. */
async function* readDocuments(path: string): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: BATCH_BYTES })) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= LENGTH_BYTES) {
      const length = rest.readInt32LE(at);
      if (rest.length - at < length) break;
      yield rest.subarray(at, at + length);
      at += length;
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw new Error(`${path} ends in the middle of a document`);
}

/** `ns` and the like are what the server says of an index, not what it takes. */
function withoutVersion(index: Document): Document {
  const { v, ns, ...spec } = index;
  return spec;
}

function count(collections: readonly DumpedCollection[]): DumpCount {
  return {
    collections: collections.length,
    documents: collections.reduce((sum, { documents }) => sum + (documents ?? 0), 0),
  };
}
