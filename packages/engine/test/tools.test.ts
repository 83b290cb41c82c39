/** The commands that MongoDB's shell and Compass send when they connect and look at a collection. */
import { describe, expect, it } from 'vitest';
import { useEngine } from './support/engine.ts';

const test = useEngine();

const adminCommands: [string, object][] = [
  ['hello', { hello: 1 }],
  ['buildInfo', { buildInfo: 1 }],
  ['the feature version', { getParameter: 1, featureCompatibilityVersion: 1 }],
  ['hostInfo', { hostInfo: 1 }],
  ['its own privileges', { connectionStatus: 1, showPrivileges: true }],
  ['the names of databases', { listDatabases: 1, nameOnly: true }],
  ['serverStatus', { serverStatus: 1 }],
  ['command line options', { getCmdLineOpts: 1 }],
  ['the state of the set', { replSetGetStatus: 1 }],
  ['startup warnings', { getLog: 'startupWarnings' }],
  ['top', { top: 1 }],
  ['what runs', { currentOp: 1 }],
  ['a ping', { ping: 1 }],
];

describe('a shell that connects', () => {
  it.each(adminCommands)('is answered %s', async (_, command) => {
    expect(await test().client.db('admin').command(command)).toMatchObject({ ok: 1 });
  });

  it('is told that this is no Atlas', async () => {
    const answer = test().client.db('admin').command({ atlasVersion: 1 });
    await expect(answer).rejects.toMatchObject({ code: 59, codeName: 'CommandNotFound' });
  });
});

describe('a graphical client that opens a collection', () => {
  it('gets statistics, indexes, a sample, a plan and a page', async () => {
    const database = test().client.db('tools');
    const collection = database.collection('things');
    await collection.insertMany(Array.from({ length: 50 }, (_, n) => ({ n, tags: ['a', 'b'] })));
    await collection.createIndex({ n: 1 });
    expect(await database.command({ dbStats: 1 })).toMatchObject({ collections: 1, objects: 50 });
    const [stats] = await collection.aggregate([{ $collStats: { storageStats: {} } }]).toArray();
    expect(stats).toMatchObject({ ns: 'tools.things', storageStats: { count: 50, nindexes: 2 } });
    const usage = await collection.aggregate([{ $indexStats: {} }]).toArray();
    expect(usage.map(({ name }) => name).sort()).toEqual(['_id_', 'n_1']);
    const sample = await collection
      .aggregate([{ $match: {} }, { $sample: { size: 10 } }], {
        allowDiskUse: true,
        maxTimeMS: 60_000,
      })
      .toArray();
    expect(sample).toHaveLength(10);
    expect(await collection.find({ n: { $lt: 3 } }).explain('executionStats')).toMatchObject({
      executionStats: { nReturned: 3, totalKeysExamined: 3 },
    });
    const collections = await database.listCollections({}, { nameOnly: true }).toArray();
    expect(collections).toMatchObject([{ name: 'things', type: 'collection' }]);
    const page = collection.find(
      {},
      { sort: { n: -1 }, skip: 10, limit: 20, promoteValues: false },
    );
    expect(await page.toArray()).toHaveLength(20);
  });
});
