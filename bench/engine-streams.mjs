// Change streams and transactions of the embedded engine, by the official driver.
import { MongoClient } from 'mongodb';
import { median } from './lib/load.mjs';
import { processorSeconds, startEngine } from './lib/processes.mjs';
import { concurrently } from './lib/timing.mjs';

const MAX_DELAY_MS = 5;
const MAX_IDLE_PERCENT = 2;
const IDLE_STREAMS = 1000;

export async function benchEngineStreams({ short }) {
  const engine = await startEngine();
  try {
    return [
      await transactions(engine.uri, short ? 500 : 5000),
      await delay(engine.uri, short ? 200 : 1000),
      await fanOut(engine.uri, { streams: 100, events: short ? 50 : 200 }),
      await idleStreams(engine, short ? 5 : 20),
    ];
  } finally {
    await engine.stop();
  }
}

async function withClient(uri, options, work) {
  const client = await new MongoClient(uri, options).connect();
  try {
    return await work(client);
  } finally {
    await client.close(true);
  }
}

/** Two updates and an insert each, on documents of their own. */
function transactions(uri, times) {
  return withClient(uri, { maxPoolSize: 16 }, async (client) => {
    const accounts = client.db('bench').collection('accounts');
    const log = client.db('bench').collection('log');
    await accounts.insertMany(Array.from({ length: 1000 }, (_, _id) => ({ _id, n: 0 })));
    await log.insertOne({});
    const transact = (n) =>
      client.withSession((session) =>
        session.withTransaction(async () => {
          await accounts.updateOne({ _id: n % 1000 }, { $inc: { n: 1 } }, { session });
          await accounts.updateOne({ _id: (n + 500) % 1000 }, { $inc: { n: -1 } }, { session });
          await log.insertOne({ n }, { session });
        }),
      );
    await concurrently({ workers: 16, times: times / 5 }, transact);
    const rate = await concurrently({ workers: 16, times }, transact);
    return {
      name: 'engine: transactions of three writes, 16 at once',
      value: `${Math.round(rate)} /s`,
    };
  });
}

/** Watches until the stream is open: its first batch has come. */
async function openStream(collection, onChange) {
  const stream = collection.watch();
  const opened = new Promise((resolve) => stream.once('resumeTokenChanged', resolve));
  stream.on('change', onChange);
  stream.on('error', () => undefined);
  await opened;
  return stream;
}

/** From the call that writes to the event that tells of it. */
function delay(uri, events) {
  return withClient(uri, {}, async (client) => {
    const collection = client.db('bench').collection('watched', { writeConcern: { w: 1 } });
    await collection.insertOne({ _id: 'first' });
    let arrived;
    const stream = await openStream(collection, () => arrived());
    const times = [];
    for (let i = 0; i < events; i += 1) {
      const event = new Promise((resolve) => {
        arrived = resolve;
      });
      const startedAt = performance.now();
      await Promise.all([collection.insertOne({ i }), event]);
      times.push(performance.now() - startedAt);
    }
    await stream.close();
    const ms = median(times);
    return {
      name: 'engine: change stream, write to event',
      value: `${ms.toFixed(2)} ms`,
      target: `< ${MAX_DELAY_MS} ms`,
      met: ms < MAX_DELAY_MS,
      note: `median of ${events}`,
    };
  });
}

/** Every event goes to every stream. */
function fanOut(uri, { streams, events }) {
  return withClient(uri, { maxPoolSize: streams + 10 }, async (client) => {
    const collection = client.db('bench').collection('fanned', { writeConcern: { w: 1 } });
    await collection.insertOne({});
    let received = 0;
    let allReceived;
    const all = new Promise((resolve) => {
      allReceived = resolve;
    });
    const onChange = () => {
      received += 1;
      if (received === streams * events) allReceived();
    };
    const open = await Promise.all(
      Array.from({ length: streams }, () => openStream(collection, onChange)),
    );
    const startedAt = performance.now();
    for (let i = 0; i < events; i += 1) await collection.insertOne({ i });
    await all;
    const seconds = (performance.now() - startedAt) / 1000;
    await Promise.all(open.map((stream) => stream.close()));
    return {
      name: `engine: change events to ${streams} streams`,
      value: `${Math.round((streams * events) / seconds)} /s`,
      note: `${events} writes`,
    };
  });
}

/** What the engine uses of one core while streams wait and nothing happens. */
function idleStreams({ uri, pid }, seconds) {
  return withClient(uri, { maxPoolSize: IDLE_STREAMS + 10 }, async (client) => {
    const collection = client.db('bench').collection('idle');
    await collection.insertOne({});
    const open = [];
    for (let i = 0; i < IDLE_STREAMS; i += 50) {
      open.push(
        ...(await Promise.all(
          Array.from({ length: 50 }, () => openStream(collection, () => undefined)),
        )),
      );
    }
    // the first getMores are answered
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const before = processorSeconds(pid);
    const startedAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const used = processorSeconds(pid) - before;
    const percent = (100 * used) / ((performance.now() - startedAt) / 1000);
    return {
      name: `engine: ${open.length} idle change streams`,
      value: `${percent.toFixed(1)} %`,
      target: `< ${MAX_IDLE_PERCENT} %`,
      met: percent < MAX_IDLE_PERCENT,
      note: `of a core, over ${seconds} s`,
    };
  });
}
