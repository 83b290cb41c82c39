import { beforeAll, describe, expect, it } from 'vitest';
import { useEngine } from './support/engine.ts';

const test = useEngine();
const places = () => test().client.db('geo').collection<{ _id: number; at: object }>('places');

beforeAll(async () => {
  await places().insertMany(
    [5, 1, 3].map((_id) => ({ _id, at: { type: 'Point', coordinates: [_id, 0] } })),
  );
  await places().createIndex({ at: '2dsphere' });
});

const $geometry = { type: 'Point', coordinates: [0, 0] };

describe('places', () => {
  it('come in the order of their distance', async () => {
    const found = await places()
      .find({ at: { $near: { $geometry } } })
      .toArray();
    expect(found.map(({ _id }) => _id)).toEqual([1, 3, 5]);
    const stage = { $geoNear: { near: $geometry, distanceField: 'd.far', maxDistance: 400_000 } };
    const near = await places().aggregate([stage]).toArray();
    expect(near).toMatchObject([{ _id: 1, d: { far: expect.any(Number) } }, { _id: 3 }]);
  });

  it('need a geo index to be sorted by distance', async () => {
    const bare = test().client.db('geo').collection('bare');
    await bare.insertOne({ at: $geometry });
    await expect(bare.find({ at: { $near: { $geometry } } }).toArray()).rejects.toMatchObject({
      code: 291,
    });
  });
});

describe('a fail point', () => {
  const plan = (mode: object | string, data: object) =>
    test().client.db('admin').command({ configureFailPoint: 'failCommand', mode, data });

  it('fails a command as often as it is told', async () => {
    await plan({ times: 2 }, { failCommands: ['count'], errorCode: 8 });
    for (let i = 0; i < 2; i++) {
      await expect(places().estimatedDocumentCount()).rejects.toMatchObject({ code: 8 });
    }
    expect(await places().estimatedDocumentCount()).toBe(3);
  });

  it('adds a write concern error to a write that took place', async () => {
    await plan(
      { times: 1 },
      { failCommands: ['insert'], writeConcernError: { code: 100, errmsg: 'no' } },
    );
    const other = test().client.db('geo').collection('other');
    await expect(other.insertOne({})).rejects.toMatchObject({ code: 100 });
    expect(await other.countDocuments()).toBe(1);
  });

  it.each([
    ['a shutdown', { errorCode: 91 }],
    ['a lost primary', { errorCode: 10107 }],
    ['a cut connection', { closeConnection: true }],
  ])('is got over by a retried write after %s', async (_, data) => {
    await plan({ times: 1 }, { failCommands: ['insert'], ...data });
    await test().client.db('geo').collection('retried').insertOne({});
  });

  it.each([
    ['whose answer gets lost', {}],
    ['that fails before its commit', { failBeforeCommitExceptionCode: 1 }],
  ])('lets a retryable write be repeated %s', async (_, data) => {
    const retried = test().client.db('geo').collection<{ _id: number }>('retryable');
    await retried.deleteMany({});
    const configureFailPoint = 'onPrimaryTransactionalWrite';
    const admin = test().client.db('admin');
    await admin.command({ configureFailPoint, mode: { times: 1 }, data });
    await retried.insertMany([{ _id: 1 }, { _id: 2 }]);
    expect(await retried.countDocuments()).toBe(2);
  });

  it('lets every time limit run out', async () => {
    const admin = test().client.db('admin');
    const configureFailPoint = 'maxTimeAlwaysTimeOut';
    await admin.command({ configureFailPoint, mode: 'alwaysOn' });
    const limited = places().find({}, { maxTimeMS: 100_000 }).toArray();
    await expect(limited).rejects.toMatchObject({ code: 50 });
    expect(await places().find().toArray()).toHaveLength(3);
    await admin.command({ configureFailPoint, mode: 'off' });
  });

  it('is told from others by the name of the application at the first hello', async () => {
    const appName = 'refused';
    await plan('alwaysOn', { failCommands: ['hello', 'isMaster'], errorCode: 91, appName });
    const { client } = test();
    await client.db('admin').command({ hello: 1 });
    await expect(test().connect({ appName, serverSelectionTimeoutMS: 200 })).rejects.toThrow();
    await plan('off', {});
  });

  it('holds a command back', async () => {
    await plan({ times: 1 }, { failCommands: ['find'], blockConnection: true, blockTimeMS: 500 });
    const late = places().find({}, { maxTimeMS: 20 }).toArray();
    await expect(late).rejects.toMatchObject({ code: 50 });
  });
});

describe('values in geo indexes', () => {
  it.each([
    ['2d', [200, 200], 13027],
    ['2dsphere', { type: 'Point', coordinates: [200, 100] }, 16755],
    ['2dsphere', 'nowhere', 16755],
  ])('a %s index refuses %j', async (kind, at, code) => {
    const collection = test().client.db('geo').collection(`refuses-${kind}`);
    await collection.createIndex({ at: kind as '2d' });
    await expect(collection.insertOne({ at })).rejects.toMatchObject({ code });
    await collection.insertOne({ at: [10, 20] });
    await collection.insertOne({ elsewhere: true });
  });
});

describe('the profiler', () => {
  it('writes down commands of its database while it is on', async () => {
    const db = test().client.db('profiled');
    await db.command({ profile: 2 });
    await db.collection('things').find({}, { comment: 'seen' }).toArray();
    expect(await db.command({ profile: 0 })).toMatchObject({ was: 2 });
    await db.collection('things').find({}, { comment: 'unseen' }).toArray();
    const entries = await db.collection('system.profile').find({ op: 'query' }).toArray();
    expect(entries).toMatchObject([{ ns: 'profiled.things', command: { comment: 'seen' } }]);
  });
});
