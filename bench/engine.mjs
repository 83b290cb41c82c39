// The embedded engine alone, by the official driver; an independent server beside it where there is one.
import { MongoClient } from 'mongodb';
import { benchEngineStreams } from './engine-streams.mjs';
import { median } from './lib/load.mjs';
import {
  hasSecondDatabase,
  processorSeconds,
  startEngine,
  startSecondDatabase,
} from './lib/processes.mjs';
import { concurrently, repeated, timed } from './lib/timing.mjs';

const MIN_TIMES_SECOND = 5;
const MAX_GROWTH = 1.5;
const WARM_UP = 3000;

export async function benchEngine({ short }) {
  const count = short ? 20_000 : 100_000;
  const engine = await startEngine();
  const rows = [];
  try {
    const measured = await benchDatabase(engine, { count, operations: short ? 3000 : 20_000 });
    rows.push(...measured.rows.map((row) => ({ ...row, name: `engine: ${row.name}` })));
    rows.push(...(await besideSecond(measured, { count, short })));
    const client = await new MongoClient(engine.uri).connect();
    rows.push(...(await durability(client)));
    await client.close();
    rows.push(...(await growth(engine.uri, short ? [1e3, 1e4, 1e5] : [1e4, 1e5, 1e6])));
  } finally {
    await engine.stop();
  }
  rows.push(...(await benchEngineStreams({ short })));
  return rows;
}

/**
 * The same work on any database; `rates` are what databases are compared by, per second. Those of
 * single operations are per second of the server's own processor time: the driver's is the same for
 * both and a multiple of the engine's, and other programs of a busy machine take no part in it.
 */
async function benchDatabase({ uri, pid }, { count, operations }) {
  const client = await new MongoClient(uri, { maxPoolSize: 32 }).connect();
  const rows = [];
  const rates = {};
  try {
    const collection = client.db('bench').collection('engine');
    await collection.createIndex({ n: 1 });
    const documents = Array.from({ length: count }, (_, n) => ({
      n,
      group: n % 100,
      text: 'x'.repeat(300),
    }));
    const insertMs = await timed(() => collection.insertMany(documents));
    rates['insertMany'] = count / (insertMs / 1000);
    rows.push({
      name: `insertMany of ${count}`,
      value: `${Math.round(insertMs)} ms`,
      note: `${Math.round(rates['insertMany'])} documents/s`,
    });
    const add = async (rate, name, times, work) => {
      const row = await repeated(name, times, work);
      rows.push(row);
      if (rate !== undefined) rates[rate] = 1000 / row.ms;
    };
    await add('indexed range', 'indexed range of 1000 documents', 20, async () =>
      collection.find({ n: { $gte: 1000, $lt: 2000 } }).toArray(),
    );
    await add('$group', `$group of ${count}`, 3, () =>
      collection.aggregate([{ $group: { _id: '$group', total: { $sum: '$n' } } }]).toArray(),
    );
    await add(undefined, 'find by _id', 300, () => collection.findOne({ _id: documents[17]._id }));
    const ids = Array.from({ length: 100 }, (_, n) => documents[(n * 7919) % count]._id);
    await add(undefined, 'find of 100 ids by $in, raw', 50, () =>
      collection.find({ _id: { $in: ids } }, { raw: true }).toArray(),
    );
    const points = {
      'point find': (n) => collection.findOne({ _id: documents[(n * 7919) % count]._id }),
      'point update': (n) =>
        collection.updateOne({ _id: documents[(n * 7919) % count]._id }, { $inc: { n: 1 } }),
      insertOne: (n) =>
        client
          .db('bench')
          .collection('one')
          .insertOne({ n, text: 'x'.repeat(300) }),
    };
    for (const [name, work] of Object.entries(points)) {
      // both have compiled by then what they run often
      await concurrently({ workers: 32, times: WARM_UP }, work);
      const before = processorSeconds(pid);
      const rate = await concurrently({ workers: 32, times: operations }, work);
      rates[name] = operations / (processorSeconds(pid) - before);
      rows.push({
        name: `${name}, 32 at once`,
        value: `${Math.round(rate)} /s`,
        note: `${Math.round(rates[name])} per second of the server's processor time`,
      });
    }
  } finally {
    await client.close();
  }
  return { rows, rates };
}

/** How many times the second database's rates the engine's are, each measured in this run. */
async function besideSecond({ rates }, { count, short }) {
  if (!hasSecondDatabase) {
    return [{ name: 'engine: beside SecantusDB', value: '-', note: 'SECANTUS names no program' }];
  }
  const second = await startSecondDatabase();
  try {
    const other = await benchDatabase(second, { count, operations: short ? 3000 : 20_000 });
    return Object.entries(rates).map(([name, rate]) => {
      const times = rate / other.rates[name];
      const isPoint = name.startsWith('point') || name === 'insertOne';
      return {
        name: `engine: ${name}${isPoint ? ' by processor time' : ''}, times SecantusDB`,
        value: `${times.toFixed(1)} x`,
        ...(isPoint && { target: `>= ${MIN_TIMES_SECOND} x`, met: times >= MIN_TIMES_SECOND }),
        note: `${Math.round(rate)} against ${Math.round(other.rates[name])} /s`,
      };
    });
  } finally {
    await second.stop();
  }
}

/** The price of the promise: a visible write against one that is on the disk. */
async function durability(client) {
  const rows = [];
  for (const w of [1, 'majority']) {
    const collection = client.db('bench').collection(`acknowledged-${w}`, { writeConcern: { w } });
    await collection.insertOne({});
    const name =
      w === 1 ? 'engine: insertOne, w: 1 (visible)' : 'engine: insertOne, majority (on the disk)';
    rows.push(await repeated(name, 300, () => collection.insertOne({ text: 'x'.repeat(300) })));
  }
  return rows;
}

/** Finds of one document in ever larger collections, in turns, so that the machine's mood is shared. */
async function growth(uri, sizes) {
  const client = await new MongoClient(uri).connect();
  try {
    const collections = [];
    for (const size of sizes) {
      const collection = client
        .db('growth')
        .collection(`documents-${size}`, { writeConcern: { w: 1 } });
      const text = 'x'.repeat(100);
      for (let first = 0; first < size; first += 10_000) {
        const length = Math.min(10_000, size - first);
        await collection.insertMany(Array.from({ length }, (_, i) => ({ _id: first + i, text })));
      }
      collections.push({ size, collection, times: [] });
    }
    for (let round = 0; round < 600; round += 1) {
      for (const { size, collection, times } of collections) {
        const _id = Math.floor(Math.random() * size);
        times.push(await timed(() => collection.findOne({ _id })));
      }
    }
    const medians = collections.map(({ times }) => median(times));
    const grown = Math.max(...medians) / medians[0];
    const shown = medians.map((ms, i) => `${sizes[i].toExponential(0)}: ${ms.toFixed(2)} ms`);
    return [
      {
        name: 'engine: point find, growth with the collection',
        value: `${grown.toFixed(2)} x`,
        target: `<= ${MAX_GROWTH} x`,
        met: grown <= MAX_GROWTH,
        note: shown.join(', '),
      },
    ];
  } finally {
    await client.close();
  }
}
