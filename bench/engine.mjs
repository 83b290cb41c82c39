// The embedded engine alone, by the official driver.
import { MongoClient } from 'mongodb';
import { median } from './lib/load.mjs';
import { startEngine } from './lib/processes.mjs';

export async function benchEngine({ short }) {
  const count = short ? 20_000 : 100_000;
  const engine = await startEngine();
  const client = await new MongoClient(engine.uri).connect();
  const rows = [];
  try {
    const collection = client.db('bench').collection('engine');
    await collection.createIndex({ n: 1 });
    const documents = Array.from({ length: count }, (_, n) => ({
      n,
      group: n % 100,
      text: 'x'.repeat(300),
    }));
    const insertMs = await timed(() => collection.insertMany(documents));
    rows.push({
      name: `engine: insertMany of ${count}`,
      value: `${Math.round(insertMs)} ms`,
      note: `${Math.round(count / (insertMs / 1000))} documents/s`,
    });

    const range = async () =>
      (await collection.find({ n: { $gte: 1000, $lt: 2000 } }).toArray()).length;
    rows.push(await repeated('engine: indexed range of 1000 documents', 20, range));
    rows.push(
      await repeated('engine: $group of all documents', 3, () =>
        collection.aggregate([{ $group: { _id: '$group', total: { $sum: '$n' } } }]).toArray(),
      ),
    );
    rows.push(
      await repeated('engine: find by _id', 500, () =>
        collection.findOne({ _id: documents[17]._id }),
      ),
    );
    const ids = Array.from({ length: 100 }, (_, n) => documents[(n * 7919) % count]._id);
    rows.push(
      await repeated('engine: find of 100 ids by $in, raw', 50, () =>
        collection.find({ _id: { $in: ids } }, { raw: true }).toArray(),
      ),
    );
    rows.push(...(await durability(client)));
  } finally {
    await client.close();
    await engine.stop();
  }
  return rows;
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

async function timed(work) {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function repeated(name, times, work) {
  const measured = [];
  for (let i = 0; i < times; i += 1) measured.push(await timed(work));
  return { name, value: `${median(measured).toFixed(2)} ms`, note: `median of ${times}` };
}
