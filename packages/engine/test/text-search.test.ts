import { beforeEach, describe, expect, it } from 'vitest';
import type { AnyDocument } from './support/any-document.ts';
import { useEngine } from './support/engine.ts';

const test = useEngine();
const texts = () => test().client.db('texts').collection<AnyDocument>('texts');

beforeEach(async () => {
  await test().client.db('texts').dropDatabase();
  await texts().createIndex({ title: 'text', body: 'text' }, { weights: { title: 10 } });
  await texts().insertMany([
    { _id: 1, title: 'Spam' },
    { _id: 2, body: 'spam eggs and spam' },
    { _id: 3, body: ['sausages and eggs', 'running dogs'] },
    { _id: 4, body: 'Café au lait' },
    { _id: 5, body: 'Läufer und Hunde', language: 'german' },
  ]);
});

async function search(text: string, options: object = {}): Promise<unknown[]> {
  const found = await texts()
    .find({ $text: { $search: text, ...options } })
    .sort({ _id: 1 })
    .toArray();
  return found.map(({ _id }) => _id);
}

describe('$text', () => {
  it.each([
    ['a word', 'eggs', [2, 3]],
    ['any of several words', 'cafe dog', [3, 4]],
    ['other forms of a word', 'runs', [3]],
    ['words beside excluded ones', 'eggs -spam', [3]],
    ['a phrase', '"eggs and"', [2]],
    ['no phrase that is excluded', 'eggs -"spam eggs"', [3]],
    ['words without their marks', 'cafe', [4]],
    ['nothing for words that are in every text', 'and the', []],
  ])('finds %s', async (_, text, expected) => {
    expect(await search(text)).toEqual(expected);
  });

  it('tells capitals and marks apart where it is asked to', async () => {
    expect(await search('spam', { $caseSensitive: true })).toEqual([2]);
    expect(await search('cafe', { $diacriticSensitive: true })).toEqual([]);
  });

  it('stems a text by the language it names', async () => {
    expect(await search('hund', { $language: 'german' })).toEqual([5]);
  });

  it('scores by weight, frequency and length', async () => {
    const score = { $meta: 'textScore' };
    const filter = { $text: { $search: 'spam' } };
    const found = await texts().find(filter, { projection: { score } }).sort({ score }).toArray();
    expect(found.map(({ _id, score: value }) => [_id, value])).toEqual([
      [1, 11],
      [2, 1.25],
    ]);
    const stages = [{ $match: filter }, { $sort: { score } }, { $project: { score } }];
    expect(await texts().aggregate(stages).toArray()).toEqual([
      { _id: 1, score: 11 },
      { _id: 2, score: 1.25 },
    ]);
  });

  it('works in writes and counts', async () => {
    const filter = { $text: { $search: 'eggs' } };
    expect(await texts().countDocuments(filter)).toBe(2);
    expect((await texts().updateMany(filter, { $set: { seen: 1 } })).modifiedCount).toBe(2);
    expect((await texts().deleteMany(filter)).deletedCount).toBe(2);
  });

  it('needs a text index, and a language it knows', async () => {
    const other = test().client.db('texts').collection('other');
    const filter = { $text: { $search: 'x' } };
    await expect(other.find(filter).toArray()).rejects.toMatchObject({ code: 27 });
    await expect(search('x', { $language: 'klingon' })).rejects.toMatchObject({ code: 2 });
  });

  it('searches all strings by a wildcard index', async () => {
    const other = test().client.db('texts').collection('other');
    await other.createIndex({ '$**': 'text' });
    await other.insertOne({ deep: { list: [{ word: 'needle' }] } });
    expect(await other.countDocuments({ $text: { $search: 'needles' } })).toBe(1);
  });
});
