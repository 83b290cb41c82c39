/** Sessions through the driver and as commands (manual, "Server Sessions", "Read Isolation"). */
import { type CommandStartedEvent, Long, type MongoClient, Timestamp, UUID } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AnyDocument } from '../support/any-document.ts';
import { useEngine } from '../support/engine.ts';
import { expectOutcome } from '../support/outcome.ts';
import { RawClient } from '../support/raw-client.ts';

const test = useEngine();

let client: MongoClient;
const commands: CommandStartedEvent[] = [];

const database = () => client.db('sessions');
const items = () => database().collection<AnyDocument>('items');
const run = (command: object) => database().command(command);
const admin = (command: object) => client.db('admin').command(command);
const newId = () => ({ id: new UUID() });
let socket: RawClient;
/** Sent as it is: a driver would put its own session and time in. */
const raw = (command: object) => socket.command('sessions', command);

beforeAll(async () => {
  client = await test().connect({ monitorCommands: true });
  client.on('commandStarted', (event) => commands.push(event));
  socket = new RawClient(test().engine.port);
  await items().insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
});
afterAll(() => {
  socket.close();
  return client.close();
});
beforeEach(() => {
  commands.length = 0;
});

describe('implicit sessions', () => {
  it('are part of every command and used again', async () => {
    await items().findOne();
    await items().findOne();
    const ids = commands.map(({ command }) => command['lsid'].id.toString('hex'));
    expect(new Set(ids).size).toBe(1);
  });

  it('are ended by the client’s close', async () => {
    const other = await test().connect({ monitorCommands: true });
    const seen: string[] = [];
    other.on('commandStarted', ({ commandName }) => seen.push(commandName));
    await other.db('sessions').collection('items').findOne();
    await other.close();
    expect(seen).toEqual(['find', 'endSessions']);
  });
});

describe('cluster time', () => {
  it('grows by writes and is gossiped in both directions', async () => {
    const session = client.startSession();
    await items().insertOne({ at: 1 }, { session });
    const first = session.clusterTime?.clusterTime;
    const operation = session.operationTime;
    await items().insertOne({ at: 2 }, { session });
    const second = session.clusterTime?.clusterTime;
    expect(operation).toBeInstanceOf(Timestamp);
    expect(first && second?.greaterThan(first)).toBe(true);
    expect(commands.at(-1)?.command['$clusterTime']).toMatchObject({ clusterTime: first });
    await session.endSession();
  });

  it('of a causally consistent session is what its next read waits for', async () => {
    const session = client.startSession({ causalConsistency: true });
    await items().insertOne({ at: 3 }, { session });
    await items().findOne({}, { session });
    expect(commands.at(-1)?.command['readConcern']).toEqual({
      afterClusterTime: session.operationTime,
    });
    await session.endSession();
  });

  it.each([
    ['no timestamp', { find: 'items', $clusterTime: { clusterTime: 1 } }, 14],
    ['no document', { find: 'items', $clusterTime: 1 }, 14],
  ])('is refused where it is %s', async (_, command, code) => {
    await expectOutcome(() => raw(command), { code });
  });
});

describe('snapshot sessions', () => {
  it('read one moment', async () => {
    const session = client.startSession({ snapshot: true });
    const before = await items().countDocuments({}, { session });
    await items().insertOne({ later: true });
    expect(await items().countDocuments({}, { session })).toBe(before);
    expect(await items().distinct('later', {}, { session })).toEqual([]);
    expect(await items().find({ later: true }, { session }).toArray()).toEqual([]);
    expect(await items().countDocuments()).toBe(before + 1);
    await session.endSession();
  });

  it('do not write', async () => {
    const session = client.startSession({ snapshot: true });
    await expect(items().insertOne({}, { session })).rejects.toThrow();
    await session.endSession();
  });

  it.each([
    [
      'a read of the future',
      { level: 'snapshot', atClusterTime: new Timestamp({ t: 4_000_000_000, i: 1 }) },
      72,
    ],
    [
      'a time without snapshot',
      { level: 'local', atClusterTime: new Timestamp({ t: 1, i: 1 }) },
      72,
    ],
    [
      'both times',
      {
        level: 'snapshot',
        atClusterTime: new Timestamp({ t: 1, i: 1 }),
        afterClusterTime: new Timestamp({ t: 1, i: 1 }),
      },
      72,
    ],
    ['a time of null', { level: 'snapshot', atClusterTime: new Timestamp({ t: 0, i: 0 }) }, 72],
  ])('refuse %s', async (_, readConcern, code) => {
    await expectOutcome(() => raw({ find: 'items', readConcern }), { code });
  });
});

describe('commands about sessions', () => {
  it('startSession, refreshSessions and endSessions', async () => {
    const started = await run({ startSession: 1 });
    expect(started).toMatchObject({ id: { id: expect.anything() }, timeoutMinutes: 30 });
    expect(await run({ refreshSessions: [started['id']] })).toMatchObject({ ok: 1 });
    expect(await run({ endSessions: [started['id'], newId()] })).toMatchObject({ ok: 1 });
  });

  it.each(['killSessions', 'endSessions'])('%s ends the cursors of a session', async (name) => {
    const session = client.startSession();
    const cursor = items().find({}, { session, batchSize: 1 });
    await cursor.next();
    await admin({ [name]: [session.id] });
    await expect(cursor.next()).rejects.toMatchObject({ code: 43 });
    await session.endSession();
  });

  it('killSessions interrupts what runs, and aborts its transaction', async () => {
    const session = client.startSession();
    session.startTransaction();
    await items().insertOne({ in: 'transaction' }, { session });
    await admin({ killSessions: [session.id] });
    await expect(items().findOne({}, { session })).rejects.toMatchObject({
      code: 251,
      errorLabels: expect.arrayContaining(['TransientTransactionError']),
    });
    await session.endSession();
    expect(await items().countDocuments({ in: 'transaction' })).toBe(0);
  });

  it('killAllSessions and killAllSessionsByPattern', async () => {
    const cursor = items().find({}, { batchSize: 1 });
    await cursor.next();
    await admin({ killAllSessions: [] });
    await expect(cursor.next()).rejects.toMatchObject({ code: 43 });
    expect(await admin({ killAllSessionsByPattern: [newId()] })).toMatchObject({ ok: 1 });
  });

  it('$listLocalSessions and $listSessions', async () => {
    const session = client.startSession();
    await items().findOne({}, { session });
    const local = await database()
      .aggregate([{ $listLocalSessions: {} }])
      .toArray();
    const ids = local.map(({ _id }) => _id.id.toString('hex'));
    expect(ids).toContain(session.id?.id.toString('hex'));
    const listed = client.db('config').collection('system.sessions');
    expect(await listed.aggregate([{ $listSessions: {} }]).toArray()).not.toEqual([]);
    await session.endSession();
  });

  it.each([
    ['an id that is none', { ping: 1, lsid: 5 }, 14],
    ['an id without id', { ping: 1, lsid: {} }, 40414],
    ['an id of another type', { ping: 1, lsid: { id: 'text' } }, 14],
    ['an unknown field of an id', { ping: 1, lsid: { ...newId(), nothing: 1 } }, 40415],
    ['a number without a session', { insert: 'items', documents: [{}], txnNumber: Long.ONE }, 72],
    [
      'a negative number',
      { insert: 'items', documents: [{}], lsid: newId(), txnNumber: Long.fromNumber(-1) },
      72,
    ],
    ['a number for a read', { find: 'items', lsid: newId(), txnNumber: Long.ONE }, 50768],
    [
      'a number for what is not retried',
      { count: 'items', lsid: newId(), txnNumber: Long.ONE },
      50768,
    ],
    ['autocommit without a number', { find: 'items', lsid: newId(), autocommit: false }, 72],
    [
      'autocommit: true',
      {
        find: 'items',
        lsid: newId(),
        txnNumber: Long.ONE,
        autocommit: true,
        startTransaction: true,
      },
      72,
    ],
    [
      'startTransaction without autocommit',
      { find: 'items', lsid: newId(), txnNumber: Long.ONE, startTransaction: true },
      72,
    ],
    [
      'a transaction that was not begun',
      { find: 'items', lsid: newId(), txnNumber: Long.ONE, autocommit: false },
      251,
    ],
    ['endSessions of no list', { endSessions: 1 }, 14],
    ['killSessions of no list', { killSessions: 1 }, 14],
  ])('refuse %s', async (_, command, code) => {
    await expectOutcome(() => raw(command), { code });
  });
});

describe('cursors and sessions', () => {
  it('a cursor is read in the session that opened it, and no other', async () => {
    const [lsid, other] = [newId(), newId()];
    const { cursor } = await raw({ find: 'items', batchSize: 1, lsid });
    const getMore = { getMore: cursor.id, collection: 'items' };
    await expectOutcome(() => raw({ ...getMore, lsid: other }), { code: 50738 });
    expect(await raw({ ...getMore, lsid })).toMatchObject({ ok: 1 });
  });
});

describe('with authentication', () => {
  it('a session belongs to its user', async () => {
    const { createTestEngine } = await import('../support/engine.ts');
    const guarded = await createTestEngine({ auth: true });
    const root = { user: 'root', pwd: 'secret', roles: ['root'] };
    await guarded.client
      .db('admin')
      .command({ createUser: root.user, pwd: root.pwd, roles: root.roles });
    const auth = { auth: { username: 'root', password: 'secret' } };
    const first = await guarded.connect(auth);
    await first.db('admin').command({ createUser: 'second', pwd: 'secret', roles: ['root'] });
    const second = await guarded.connect({ auth: { username: 'second', password: 'secret' } });
    await first.db('d').collection('c').insertMany([{}, {}]);
    const session = first.startSession();
    const cursor = first.db('d').collection('c').find({}, { session, batchSize: 1 });
    await cursor.next();
    const steal = { getMore: cursor.id, collection: 'c' };
    await expectOutcome(() => second.db('d').command(steal), { code: 50738 });
    await cursor.close();
    await session.endSession();
    await guarded.close();
  });
});
