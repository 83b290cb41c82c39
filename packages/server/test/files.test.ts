/** Files in GridFS buckets on a real database: the embedded engine, or the one `MONGODB_URI` names. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { GridFSBucket, type MongoClient, MongoServerError } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OPEN_PERMIT } from '../src/authz/open-permit.ts';
import { ObjectId } from '../src/model/bson.ts';
import { deleteFile, deleteFiles } from '../src/mongo/gridfs-delete.ts';
import { removeLeftUploads } from '../src/mongo/gridfs-leftovers.ts';
import { type FileDescription, finishUpload } from '../src/mongo/gridfs-publish.ts';
import { FileChangedError, openFile } from '../src/mongo/gridfs-read.ts';
import { stageUpload } from '../src/mongo/gridfs-upload.ts';
import type { MongoAccess } from '../src/mongo/mongo-access.ts';
import { openMongo } from './open-mongo.ts';

const bucket = { database: 'files_test', collection: 'b.files' };
const options = { permit: OPEN_PERMIT };
/** Small files of many chunks: more than are given their id in one step. */
const CHUNK_SIZE = 100;
let mongo: MongoAccess;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ mongo, close } = await openMongo());
});
afterAll(() => close());
beforeEach(async () => {
  for (const name of ['b.files', 'b.chunks']) await collection(name).deleteMany({});
  await records().deleteMany({});
});

const collection = (name: string) => mongo.client.db(bucket.database).collection(name);
const records = () => mongo.client.db('quorate').collection('staged_uploads');
const chunkCount = () => collection('b.chunks').countDocuments();

async function* parts(content: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += 50_000) yield content.subarray(at, at + 50_000);
}

async function collect(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const list: Buffer[] = [];
  for await (const part of content) list.push(Buffer.from(part));
  return Buffer.concat(list);
}

async function upload(
  content: Buffer,
  more: Partial<FileDescription> = {},
  { access = mongo, chunkSize = CHUNK_SIZE } = {},
) {
  const staged = await stageUpload(access, bucket, parts(content), { chunkSize });
  const file = { filename: 'f', metadata: new Map(), mode: 'insert' as const, ...more };
  return finishUpload(access, bucket, staged, file, options);
}

const replace = (content: Buffer, access = mongo) =>
  upload(content, { id: 'f', mode: 'upsert' }, { access });

/** The content of a file; undefined when there is none. */
async function read(id: FileDescription['id'] = 'f'): Promise<Buffer | undefined> {
  const file = await openFile(mongo, bucket, id ?? null, options);
  return file === undefined ? undefined : collect(file.read());
}

/** The same as any other GridFS client reads it. */
function readAsOthers(name: string): Promise<Buffer> {
  const others = new GridFSBucket(mongo.client.db(bucket.database), { bucketName: 'b' });
  return collect(others.openDownloadStreamByName(name));
}

/** A connection whose every operation first asks `before`. */
function watched(before: (operation: string) => Promise<void>): MongoAccess {
  const wrap = (target: object): object =>
    new Proxy(target, {
      get(owner, name) {
        const value: unknown = Reflect.get(owner, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (name === 'find') {
            const cursor = value.apply(owner, args) as { toArray(): Promise<unknown> };
            const toArray = () => before('find').then(() => cursor.toArray());
            return new Proxy(cursor, {
              get: (inner, key) => {
                const member: unknown = Reflect.get(inner, key);
                if (key === 'toArray') return toArray;
                return typeof member === 'function' ? member.bind(inner) : member;
              },
            });
          }
          return before(String(name)).then(() => value.apply(owner, args) as unknown);
        };
      },
    });
  const client = {
    db: (name: string) => ({
      collection: (of: string) => wrap(mongo.client.db(name).collection(of)),
    }),
  } as unknown as MongoClient;
  return Object.assign(Object.create(mongo) as MongoAccess, { client });
}

/** A node that dies before its n-th operation. */
function dying(after: number): MongoAccess {
  let left = after;
  return watched(async () => {
    left -= 1;
    if (left < 0) throw new Error('killed');
  });
}

const LATER = () => new Date(Date.now() + 24 * 3600_000);

/** Nothing is left but the chunks of what can be read, and those have the file's id. */
async function expectTidy(content: Buffer | undefined): Promise<void> {
  await removeLeftUploads(mongo, LATER());
  expect(await records().countDocuments()).toBe(0);
  expect(await read()).toEqual(content);
  expect(await chunkCount()).toBe(Math.ceil((content?.length ?? 0) / CHUNK_SIZE));
  expect(await collection('b.files').countDocuments({ upload: { $exists: true } })).toBe(0);
  if (content !== undefined) expect(await readAsOthers('f')).toEqual(content);
}

describe('files', () => {
  it('come back as they were stored, in parts too', async () => {
    const content = randomBytes(700_000);
    const result = await upload(content, { id: 'f' }, { chunkSize: 261_120 });
    expect(result).toMatchObject({ outcome: 'created' });
    const file = await openFile(mongo, bucket, 'f', options);
    expect(file?.length).toBe(700_000);
    if (file === undefined) return;
    expect((await collect(file.read())).equals(content)).toBe(true);
    const part = await collect(file.read({ start: 261_119, end: 600_001 }));
    expect(part.equals(content.subarray(261_119, 600_001))).toBe(true);
    expect((await readAsOthers('f')).equals(content)).toBe(true);
  });

  it('have the id of their upload when none is chosen', async () => {
    const content = randomBytes(950);
    const { id } = await upload(content);
    expect(id).toBeInstanceOf(ObjectId);
    expect(await read(id)).toEqual(content);
    await removeLeftUploads(mongo, LATER());
    expect(await readAsOthers('f')).toEqual(content);
    expect(await upload(Buffer.alloc(0), { id: 'empty' })).toMatchObject({ outcome: 'created' });
    expect(await read('empty')).toEqual(Buffer.alloc(0));
  });

  it('leave nothing behind when they are refused, broken off or deleted', async () => {
    await upload(randomBytes(27_000), { id: 'f' });
    expect(await upload(Buffer.from('x'), { id: 'f' })).toMatchObject({ outcome: 'duplicate' });
    expect(await chunkCount()).toBe(270);
    const broken = stageUpload(
      mongo,
      bucket,
      (async function* () {
        yield randomBytes(2_000_000);
        throw new Error('gone');
      })(),
    );
    await expect(broken).rejects.toThrow('gone');
    expect(await chunkCount()).toBe(270);
    expect(await records().countDocuments()).toBe(0);
    expect((await deleteFile(mongo, bucket, { id: 'f' }, options)).outcome).toBe('deleted');
    expect(await chunkCount()).toBe(0);
  });

  it('are deleted many at a time', async () => {
    for (const id of ['a', 'b', 'c']) await upload(randomBytes(9000), { id });
    expect(await deleteFiles(mongo, bucket, {}, options)).toBe(3);
    expect(await chunkCount()).toBe(0);
  });

  it('take their id from what another program has left of it', async () => {
    const chunk = (n: number) => ({ _id: new ObjectId(), files_id: 'f', n, data: Buffer.alloc(3) });
    await collection('b.chunks').insertMany([chunk(0), chunk(70), chunk(500)] as never[]);
    const content = randomBytes(8000);
    expect(await upload(content, { id: 'f' })).toMatchObject({ outcome: 'created' });
    await expectTidy(content);
  });

  it('stay one file when two uploads have one id', async () => {
    const outcomes = await Promise.all([
      upload(randomBytes(8000), { id: 'f' }),
      upload(randomBytes(8000), { id: 'f' }),
    ]);
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['created', 'duplicate']);
    await expectTidy(await read());
  });
});

describe('a replaced file', () => {
  const older = randomBytes(9000);
  const newer = randomBytes(7050);

  it('has the new content alone', async () => {
    await replace(older);
    for (const content of [newer, Buffer.from('short'), Buffer.alloc(0), older]) {
      expect(await replace(content)).toMatchObject({ outcome: 'updated' });
      expect(await read()).toEqual(content);
      await expectTidy(content);
    }
  });

  it('keeps to the ETag of the one before', async () => {
    const etag = new ObjectId();
    await upload(older, { id: 'f', metadata: new Map([['_etag', etag]]) });
    const under = (presented: string | undefined) =>
      upload(newer, { id: 'f', mode: 'upsert', etag: { required: true, presented } });
    expect(await under(undefined)).toMatchObject({ outcome: 'etagMissing', storedEtag: etag });
    expect(await under(new ObjectId().toHexString())).toMatchObject({ outcome: 'etagMismatch' });
    await expectTidy(older);
    const both = await Promise.all([under(etag.toHexString()), under(etag.toHexString())]);
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['etagMismatch', 'updated']);
    await expectTidy(newer);
  });

  /** How many operations a replacement takes. */
  async function countSteps(before: Buffer | undefined): Promise<number> {
    await deleteFile(mongo, bucket, { id: 'f' }, options);
    if (before !== undefined) await replace(before);
    let steps = 0;
    await replace(
      newer,
      watched(async () => {
        steps += 1;
      }),
    );
    return steps;
  }

  it.each([
    ['old', older],
    ['missing', undefined],
  ])('is the %s or the new one wherever its node dies', async (_, before) => {
    const steps = await countSteps(before);
    // the chunks are stored one like the other; what follows are the steps that matter
    const deaths = [1, 2, 30, ...Array.from({ length: 14 }, (_, i) => steps - 13 + i)];
    const seen = { old: 0, new: 0 };
    for (const survived of deaths) {
      await deleteFile(mongo, bucket, { id: 'f' }, options);
      if (before !== undefined) await replace(before);
      const result = await replace(newer, dying(survived)).catch(() => undefined);
      const found = await read();
      const isNew = found?.equals(newer) ?? false;
      if (!isNew) expect(found).toEqual(before);
      // whoever was told that it is done finds it so
      if (result !== undefined) expect(isNew).toBe(true);
      seen[isNew ? 'new' : 'old'] += 1;
      await expectTidy(isNew ? newer : before);
    }
    expect(seen.old).toBeGreaterThan(3);
    expect(seen.new).toBeGreaterThan(3);
  });

  it('is gone on with by the next write', async () => {
    const last = randomBytes(6000);
    const steps = await countSteps(older);
    for (const left of [1, 2, 3, 4, 5, 6]) {
      await replace(older);
      await replace(newer, dying(steps - left)).catch(() => undefined);
      expect(await replace(last)).toMatchObject({ outcome: 'updated' });
      expect(await read()).toEqual(last);
      await expectTidy(last);
    }
  });

  it('gets chunks one by one where they are sharded by the file', async () => {
    // MongoDB changes a shard key of one document at a time (error 72 of its manual, "Change a Document's Shard Key Value")
    const sharded = watched(async (operation) => {
      if (operation === 'updateMany') throw new MongoServerError({ code: 72, message: 'sharded' });
    });
    await replace(older, sharded);
    await replace(newer, sharded);
    await expectTidy(newer);
  });

  it('is never shown to a reader in parts of two', async () => {
    const contents = Array.from({ length: 4 }, () => randomBytes(8000));
    await replace(contents[0] ?? older);
    let isOver = false;
    let whole = 0;
    const reader = async () => {
      while (!isOver) {
        try {
          const found = await read();
          expect(contents.some((content) => found?.equals(content))).toBe(true);
          whole += 1;
        } catch (failure) {
          expect(failure).toBeInstanceOf(FileChangedError);
        }
      }
    };
    const readers = [reader(), reader(), reader()];
    for (let round = 0; round < 2; round += 1) {
      for (const content of contents) await replace(content);
    }
    isOver = true;
    await Promise.all(readers);
    expect(whole).toBeGreaterThan(0);
    await expectTidy(contents.at(-1));
  });

  it('is whole after slow nodes have replaced, deleted and died at once', async () => {
    const slow = () => watched(() => delay(Math.random() * 4));
    for (let round = 0; round < 6; round += 1) {
      const contents = Array.from({ length: 4 }, () =>
        randomBytes(3000 + Math.floor(Math.random() * 5000)),
      );
      await Promise.allSettled([
        ...contents.map((content) => replace(content, slow())),
        replace(randomBytes(5000), dying(52 + Math.floor(Math.random() * 12))),
        delay(Math.random() * 200).then(() => deleteFile(slow(), bucket, { id: 'f' }, options)),
      ]);
      await expectTidy(await read());
    }
  });
});
