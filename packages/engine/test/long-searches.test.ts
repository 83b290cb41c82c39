import { describe, expect, it } from 'vitest';
import { useEngine } from './support/engine.ts';

const test = useEngine();
/** More than what is searched inside a batch. */
const COUNT = 3_000;

async function filled(name: string) {
  const collection = test().client.db('long').collection<{ n: number; state: string }>(name);
  const documents = Array.from({ length: COUNT }, (_, n) => ({ n, state: 'new' }));
  await collection.insertMany(documents);
  return collection;
}

describe('writes to one document that has to be searched for', () => {
  it('update, replace and remove the first one that matches', async () => {
    const collection = await filled('single');
    const update = await collection.updateOne({ n: 2_500 }, { $set: { state: 'seen' } });
    expect(update).toMatchObject({ matchedCount: 1, modifiedCount: 1 });
    expect(await collection.findOne({ state: 'seen' })).toMatchObject({ n: 2_500 });
    expect(await collection.deleteOne({ n: { $gt: 2_998 } })).toMatchObject({ deletedCount: 1 });
    expect(await collection.countDocuments({ n: 2_999 })).toBe(0);
    expect(await collection.updateOne({ n: -1 }, { $set: { state: 'x' } })).toMatchObject({
      matchedCount: 0,
    });
  });

  it('sort before they choose', async () => {
    const collection = await filled('sorted');
    const document = await collection.findOneAndUpdate(
      { state: 'new' },
      { $set: { state: 'taken' } },
      { sort: { n: -1 }, returnDocument: 'after' },
    );
    expect(document).toMatchObject({ n: COUNT - 1, state: 'taken' });
  });

  it('insert once when an upsert finds nothing', async () => {
    const collection = await filled('upsert');
    const result = await collection.updateOne(
      { n: COUNT },
      { $set: { state: 'made' } },
      { upsert: true },
    );
    expect(result.upsertedCount).toBe(1);
    expect(await collection.countDocuments()).toBe(COUNT + 1);
  });

  it('see what the statements before them in the same command wrote', async () => {
    const collection = await filled('bulk');
    const result = await collection.bulkWrite([
      { updateOne: { filter: { n: 10 }, update: { $set: { n: -10 } } } },
      { updateOne: { filter: { n: -10 }, update: { $set: { state: 'twice' } } } },
      { deleteOne: { filter: { state: 'twice' } } },
    ]);
    expect(result).toMatchObject({ matchedCount: 2, deletedCount: 1 });
    expect(await collection.countDocuments()).toBe(COUNT - 1);
  });

  it('give each of many concurrent takers a document of its own', async () => {
    const collection = await filled('queue');
    const taken = await Promise.all(
      Array.from({ length: 30 }, () =>
        collection.findOneAndUpdate({ state: 'new' }, { $set: { state: 'taken' } }),
      ),
    );
    expect(new Set(taken.map((document) => document?.n)).size).toBe(30);
    expect(await collection.countDocuments({ state: 'taken' })).toBe(30);
  });

  it('are refused as single statements when their filter is malformed', async () => {
    const collection = await filled('malformed');
    const result = collection.bulkWrite(
      [
        { updateOne: { filter: { n: { $nope: 1 } } as never, update: { $set: { state: 'x' } } } },
        { updateOne: { filter: { n: 5 }, update: { $set: { state: 'y' } } } },
      ],
      { ordered: false },
    );
    await expect(result).rejects.toMatchObject({ code: 2 });
    expect(await collection.countDocuments({ state: 'y' })).toBe(1);
  });

  it('end at their time limit', async () => {
    const collection = await filled('limited');
    await test()
      .client.db('admin')
      .command({
        configureFailPoint: 'failCommand',
        mode: { times: 1 },
        data: { failCommands: ['findAndModify'], blockConnection: true, blockTimeMS: 30 },
      });
    await expect(
      collection.findOneAndUpdate({ n: -1 }, { $set: { state: 'x' } }, { maxTimeMS: 5 }),
    ).rejects.toMatchObject({ code: 50 });
  });
});
