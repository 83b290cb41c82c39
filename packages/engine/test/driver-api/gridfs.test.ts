/** Files through the driver's GridFSBucket (manual, "GridFS"; driver specification "GridFS"). */
import { buffer } from 'node:stream/consumers';
import { GridFSBucket, type GridFSBucketOptions, ObjectId, ReadPreference } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { useEngine } from '../support/engine.ts';
import { expectOutcome } from '../support/outcome.ts';

const test = useEngine();

const database = () => test().client.db('files');
const bucket = (options?: GridFSBucketOptions) => new GridFSBucket(database(), options);
const chunks = () => database().collection('fs.chunks');
const files = () => database().collection('fs.files');

async function upload(
  content: Buffer,
  options: { name?: string; chunkSizeBytes?: number; metadata?: object } = {},
): Promise<ObjectId> {
  const { name = 'file', ...rest } = options;
  const stream = bucket().openUploadStream(name, rest);
  await new Promise<void>((resolve, reject) => {
    stream.once('finish', resolve).once('error', reject).end(content);
  });
  return stream.id;
}

const download = (id: ObjectId, range?: { start?: number; end?: number }): Promise<Buffer> =>
  buffer(bucket().openDownloadStream(id, range));

const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, n) => n % 251));

beforeEach(() => database().dropDatabase());

describe('an upload', () => {
  it.each([0, 1, 9, 10, 11, 100, 300_000])('of %i bytes comes back', async (length) => {
    const id = await upload(bytes(length), { chunkSizeBytes: 10_000 });
    expect((await download(id)).equals(bytes(length))).toBe(true);
    expect(await chunks().countDocuments()).toBe(Math.ceil(length / 10_000));
  });

  it('writes the file’s document last, with what it was given', async () => {
    const id = await upload(bytes(25), { chunkSizeBytes: 10, metadata: { a: 1 }, name: 'n' });
    expect(await files().findOne({ _id: id })).toEqual({
      _id: id,
      length: 25,
      chunkSize: 10,
      uploadDate: expect.any(Date),
      filename: 'n',
      metadata: { a: 1 },
    });
    const all = await chunks().find({ files_id: id }).sort({ n: 1 }).toArray();
    expect(all.map(({ n, data }) => [n, data.length()])).toEqual([
      [0, 10],
      [1, 10],
      [2, 5],
    ]);
  });

  it('makes the indexes of its collections', async () => {
    await upload(bytes(1));
    expect(await files().indexes()).toMatchObject([
      { name: '_id_' },
      { key: { filename: 1, uploadDate: 1 } },
    ]);
    expect(await chunks().indexes()).toMatchObject([
      { name: '_id_' },
      { key: { files_id: 1, n: 1 }, unique: true },
    ]);
  });

  it('that is aborted leaves no chunk', async () => {
    const stream = bucket().openUploadStream('aborted', { chunkSizeBytes: 10 });
    await new Promise((resolve) => stream.write(bytes(35), resolve));
    await stream.abort();
    expect(await chunks().countDocuments()).toBe(0);
    expect(await files().countDocuments()).toBe(0);
  });

  it('may have an id of its own, which no second has', async () => {
    const send = () =>
      new Promise((resolve, reject) => {
        const stream = bucket().openUploadStreamWithId('own' as unknown as ObjectId, 'n');
        stream.once('finish', resolve).once('error', reject).end(bytes(3));
      });
    await send();
    await expectOutcome(send, { code: 11000 });
  });
});

describe('a download', () => {
  it.each([
    [0, 5, 0, 5],
    [3, 7, 3, 7],
    [10, 20, 10, 20],
    [9, 21, 9, 21],
    [24, 25, 24, 25],
    [0, 25, 0, 25],
  ])('from %o to %o', async (start, end, from, to) => {
    const id = await upload(bytes(25), { chunkSizeBytes: 10 });
    const part = await download(id, { start, end });
    expect(part.equals(bytes(25).subarray(from, to))).toBe(true);
  });

  it('outside of the file is refused', async () => {
    const id = await upload(bytes(25));
    await expect(download(id, { start: 26 })).rejects.toThrow(/must not be more than the length/);
    await expect(download(id, { start: 10, end: 5 })).rejects.toThrow(/must not be greater/);
    await expect(download(new ObjectId())).rejects.toThrow(/FileNotFound/);
  });

  it('by name gives the revision that is asked for', async () => {
    for (const content of ['first', 'second', 'third']) await upload(Buffer.from(content));
    const read = async (revision?: number): Promise<string> => {
      const options = revision === undefined ? {} : { revision };
      return (await buffer(bucket().openDownloadStreamByName('file', options))).toString();
    };
    expect([await read(), await read(-1), await read(-2), await read(0), await read(1)]).toEqual([
      'third',
      'third',
      'second',
      'first',
      'second',
    ]);
    await expect(read(5)).rejects.toThrow(/FileNotFound/);
  });

  it.each([
    ['is missing', { n: 1 }, undefined, /ChunkIsMissing|ExtraChunk|Chunk/],
    ['is of wrong size', { n: 0 }, { $set: { data: Buffer.from('x') } }, /ChunkIsWrongSize|Chunk/],
  ])('of a file whose chunk %s fails', async (_, filter, update, message) => {
    const id = await upload(bytes(25), { chunkSizeBytes: 10 });
    if (update === undefined) await chunks().deleteOne(filter);
    else await chunks().updateOne(filter, update);
    await expect(download(id)).rejects.toThrow(message);
  });
});

describe('files', () => {
  it('are found, renamed and deleted', async () => {
    const ids = [await upload(bytes(1), { name: 'a' }), await upload(bytes(2), { name: 'b' })];
    const [first] = ids;
    if (first === undefined) throw new Error('nothing was uploaded');
    expect(
      await bucket()
        .find({ length: { $gt: 1 } })
        .toArray(),
    ).toMatchObject([{ filename: 'b' }]);
    await bucket().rename(first, 'c');
    expect(
      await bucket()
        .find({}, { sort: { filename: -1 } })
        .toArray(),
    ).toMatchObject([{ filename: 'c' }, { filename: 'b' }]);
    await bucket().delete(first);
    expect(await chunks().countDocuments({ files_id: first })).toBe(0);
    await expect(bucket().delete(first)).rejects.toThrow(/FileNotFound|File not found/i);
    await expect(bucket().rename(first, 'x')).rejects.toThrow(/not found/i);
  });

  it('of a bucket are dropped together', async () => {
    await upload(bytes(1));
    await bucket().drop();
    expect(await database().listCollections().toArray()).toEqual([]);
  });

  it('of another bucket are kept apart, with its concerns', async () => {
    const other = bucket({
      bucketName: 'photos',
      chunkSizeBytes: 5,
      writeConcern: { w: 'majority' },
      readPreference: ReadPreference.primaryPreferred,
    });
    const stream = other.openUploadStream('p');
    await new Promise((resolve) => stream.once('finish', resolve).end(bytes(12)));
    expect(await database().collection('photos.chunks').countDocuments()).toBe(3);
    expect(await bucket().find().toArray()).toEqual([]);
    expect((await buffer(other.openDownloadStreamByName('p'))).length).toBe(12);
  });

  it('have an MD5 sum, by filemd5', async () => {
    const id = await upload(Buffer.from('abc'));
    expect(await database().command({ filemd5: id, root: 'fs' })).toMatchObject({
      md5: '900150983cd24fb0d6963f7d28e17f72',
    });
  });
});
