// The hot paths over HTTP, beside a bare loop of node:http + driver + EJSON on the same engine.
import { MongoClient, ObjectId } from 'mongodb';
import { documentId, median } from './lib/load.mjs';
import { startBareServer, startEngine, startNode } from './lib/processes.mjs';
import { sampleDocument } from './lib/sample-document.mjs';
import { runSideBySide, toRatioRow } from './lib/side-by-side.mjs';

const DOCUMENTS = 20_000;
const CONNECTIONS = 128;

const scenarios = [
  { name: 'GET one document', path: '/bench/documents', ids: DOCUMENTS, target: 3.0, p99: true },
  { name: 'POST one document', path: '/bench/documents', method: 'POST', target: 1.8 },
  { name: 'GET page of 100 documents', path: '/bench/documents?pagesize=100', target: 1.3 },
];

export async function benchHttp({ short }) {
  const rounds = short ? 3 : 7;
  const seconds = short ? 2 : 5;
  const engine = await startEngine();
  const client = await new MongoClient(engine.uri).connect();
  const collection = client.db('bench').collection('documents');
  const node = await startNode(engine.uri);
  const bare = await startBareServer(engine.uri);
  const rows = [];
  try {
    await preload(collection);
    for (const { name, path, ids, method, target, p99 } of scenarios) {
      const load = {
        path,
        ...(ids ? { ids } : {}),
        ...(method ? { method, body: JSON.stringify(sampleDocument(0)) } : {}),
        headers: { 'Content-Type': 'application/json' },
        connections: CONNECTIONS,
      };
      const compared = await runSideBySide({ bare, node }, load, {
        rounds,
        seconds,
        ...(method === 'POST' ? { after: () => trim(collection) } : {}),
      });
      rows.push(toRatioRow(name, target, compared));
      if (p99) rows.push(toLatencyRow(name, compared));
    }
  } finally {
    await client.close();
    await Promise.all([node.stop(), bare.stop()]);
    await engine.stop();
  }
  return rows;
}

function toLatencyRow(name, { results }) {
  const latency = (key) => median(results[key].map((result) => result.p99Ms));
  return {
    name: `${name}, p99`,
    value: `${(latency('node') / latency('bare')).toFixed(2)}x`,
    target: '<= 1.0x',
    met: latency('node') <= latency('bare'),
    note: `${latency('node').toFixed(1)} against ${latency('bare').toFixed(1)} ms`,
  };
}

async function preload(collection) {
  for (let from = 0; from < DOCUMENTS; from += 5000) {
    await collection.insertMany(
      Array.from({ length: 5000 }, (_, i) => ({
        _id: new ObjectId(documentId(from + i)),
        ...sampleDocument(from + i),
      })),
    );
  }
}

/** Removes what a POST round inserted, so that each round finds the same collection. */
async function trim(collection) {
  await collection.deleteMany({ _id: { $gte: new ObjectId(documentId(DOCUMENTS)) } });
}
