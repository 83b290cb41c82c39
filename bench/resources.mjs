// Every kind of resource beside the bare loop that does the same with the driver.
import { MongoClient, ObjectId } from 'mongodb';
import { documentId } from './lib/load.mjs';
import { startBareResources, startEngine, startNode } from './lib/processes.mjs';
import { sampleDocument } from './lib/sample-document.mjs';
import { runSideBySide, toRatioRow } from './lib/side-by-side.mjs';

const DOCUMENTS = 10_000;
const CONNECTIONS = 32;
const FILE_BYTES = 256 * 1024;
const SCHEMA = {
  type: 'object',
  required: ['name', 'count'],
  properties: {
    name: { type: 'string', minLength: 1 },
    count: { type: 'integer', minimum: 0 },
    tags: { type: 'array', items: { type: 'string' } },
    address: { type: 'object', required: ['city'], properties: { city: { type: 'string' } } },
  },
};

const json = { 'Content-Type': 'application/json' };
const one = JSON.stringify(sampleDocument(1));
const hundred = JSON.stringify(Array.from({ length: 100 }, (_, i) => sampleDocument(i)));

/** What a node does more than the bare loop is in the note; the target is what that may cost. */
const scenarios = [
  { name: 'GET names of collections', path: '/bench', target: 0.9 },
  { name: 'GET properties (_meta)', path: '/bench/documents/_meta', target: 0.9 },
  { name: 'GET number of documents (_size)', path: '/bench/documents/_size', target: 0.9 },
  { name: 'GET indexes', path: '/bench/documents/_indexes', target: 0.9 },
  { name: 'GET aggregation', path: '/bench/documents/_aggrs/sum', target: 0.9 },
  { name: 'GET file (properties)', path: '/bench/b.files/f', target: 0.9 },
  { name: 'GET file (256 KiB)', path: '/bench/b.files/f/binary', target: 0.9 },
  { name: 'POST with a JSON Schema', path: '/bench/checked', body: one, target: 0.9 },
  { name: 'POST 100 documents', path: '/bench/bulk', body: hundred, target: 0.9 },
];

export async function benchResources({ short }) {
  const rounds = short ? 2 : 5;
  const seconds = short ? 1 : 3;
  const engine = await startEngine();
  const client = await new MongoClient(engine.uri).connect();
  const node = await startNode(engine.uri);
  const bare = await startBareResources(engine.uri);
  const rows = [];
  try {
    await prepare(client.db('bench'), node.url);
    for (const { name, path, body, target } of scenarios) {
      const load = {
        path,
        connections: CONNECTIONS,
        headers: json,
        ...(body === undefined ? {} : { method: 'POST', body }),
      };
      const clear = () => client.db('bench').collection(path.split('/')[2]).deleteMany({});
      const compared = await runSideBySide({ bare, node }, load, {
        rounds,
        seconds,
        ...(body === undefined ? {} : { after: clear }),
      });
      rows.push(toRatioRow(name, target, compared));
    }
  } finally {
    await client.close();
    await Promise.all([node.stop(), bare.stop()]);
    await engine.stop();
  }
  return rows;
}

async function prepare(database, url) {
  const put = (path, body) =>
    fetch(url + path, { method: 'PUT', headers: json, body: JSON.stringify(body) });
  await put('/bench', {});
  await put('/bench/documents', {
    aggrs: [
      {
        uri: 'sum',
        stages: [
          { $match: { count: { $lt: 200 } } },
          { $group: { _id: '$active', sum: { $sum: '$price' } } },
        ],
      },
    ],
  });
  await put('/bench/documents/_indexes/count', { keys: { count: 1 } });
  await put('/bench/_schemas', {});
  await put('/bench/_schemas/s?wm=upsert', SCHEMA);
  await put('/bench/checked', { jsonSchema: { schemaId: 's' } });
  await put('/bench/bulk', {});
  await put('/bench/b.files', {});
  const form = new FormData();
  form.set('metadata', JSON.stringify({ _id: 'f' }));
  form.set('file', new Blob([Buffer.alloc(FILE_BYTES, 'quorate')]), 'f');
  const { status } = await fetch(`${url}/bench/b.files`, { method: 'POST', body: form });
  if (status !== 201) throw new Error(`the file could not be uploaded: ${status}`);
  await database.collection('documents').insertMany(
    Array.from({ length: DOCUMENTS }, (_, i) => ({
      _id: new ObjectId(documentId(i)),
      ...sampleDocument(i),
    })),
  );
}
