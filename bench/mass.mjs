// Much of it: a large file, an export of many documents, a page far from the first. What counts is the node's memory.
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { median, runLoad } from './lib/load.mjs';
import { memoryMb, startEngine, startNode } from './lib/processes.mjs';

const MIB = 1024 * 1024;

export async function benchMass({ short }) {
  const engine = await startEngine();
  const client = await new MongoClient(engine.uri).connect();
  try {
    const many = short ? 100_000 : 1_000_000;
    await loadDocuments(client.db('bench').collection('many'), many);
    return [
      ...(await withNode(engine, (node) => largeFile(node, short ? 64 : 1024))),
      ...(await withNode(engine, (node) => largeExport(node, many))),
      ...(await withNode(engine, (node) => largeImport(node, many))),
      ...(await withNode(engine, (node) => farPage(node, many, short))),
    ];
  } finally {
    await client.close();
    await engine.stop();
  }
}

async function withNode(engine, measure) {
  const node = await startNode(engine.uri);
  try {
    return await measure(node);
  } finally {
    await node.stop();
  }
}

async function loadDocuments(collection, count) {
  for (let from = 0; from < count; from += 10_000) {
    await collection.insertMany(
      Array.from({ length: Math.min(10_000, count - from) }, (_, i) => ({
        _id: from + i,
        n: (from + i) % 1000,
        text: 'x'.repeat(60),
      })),
    );
  }
}

/** Runs something and tells the largest resident memory of a process meanwhile, MB. */
async function watchMemory(pid, run) {
  let peak = memoryMb(pid);
  const timer = setInterval(() => {
    peak = Math.max(peak, memoryMb(pid));
  }, 20);
  try {
    return { result: await run(), peak };
  } finally {
    clearInterval(timer);
  }
}

/** Bytes that no two blocks share, made as they are sent. */
function* contentOf(mebibytes) {
  const block = Buffer.alloc(MIB, 'quorate');
  for (let i = 0; i < mebibytes; i += 1) {
    block.writeUInt32LE(i, 0);
    yield Buffer.from(block);
  }
}

async function largeFile(node, mebibytes) {
  const sent = createHash('sha256');
  for (const block of contentOf(mebibytes)) sent.update(block);
  const bucket = `${node.url}/bench/large.files`;
  await fetch(`${node.url}/bench`, { method: 'PUT' });
  await fetch(bucket, { method: 'PUT' });
  const before = memoryMb(node.pid);
  const up = await watchMemory(node.pid, () => upload(bucket, mebibytes));
  if (up.result !== 201) throw new Error(`the upload answered ${up.result}`);
  const down = await watchMemory(node.pid, () => download(`${bucket}/large/binary`));
  const isSame = down.result.digest === sent.digest('hex');
  const size = `${mebibytes} MiB file`;
  const row = (name, { peak }) => ({
    name,
    value: `${peak.toFixed(0)} MB`,
    target: '<= 150 MB',
    met: peak <= 150 && isSame,
    note: `${before.toFixed(0)} MB before${isSame ? '' : '; the content differs'}`,
  });
  return [
    row(`node's memory, upload of a ${size}`, up),
    row(`node's memory, download of it`, down),
  ];
}

async function upload(bucket, mebibytes) {
  const boundary = 'quorate-bench';
  const message = request(bucket, {
    method: 'POST',
    headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
  });
  const answered = new Promise((resolve, reject) => {
    message.on('response', resolve).on('error', reject);
  });
  const part = (name, more) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`;
  message.write(`${part('metadata', '')}{"_id":"large"}\r\n${part('file', '; filename="large"')}`);
  for (const block of contentOf(mebibytes)) {
    if (!message.write(block)) await new Promise((resolve) => message.once('drain', resolve));
  }
  message.end(`\r\n--${boundary}--\r\n`);
  const response = await answered;
  response.resume();
  await finished(response);
  return response.statusCode;
}

async function download(url, { pauseEveryMib = 256 } = {}) {
  const digest = createHash('sha256');
  let length = 0;
  for await (const chunk of (await fetch(url)).body) {
    digest.update(chunk);
    // a slow client: what it does not take must not pile up in the node
    if (
      Math.floor(length / MIB / pauseEveryMib) <
      Math.floor((length + chunk.length) / MIB / pauseEveryMib)
    )
      await delay(500);
    length += chunk.length;
  }
  return { digest: digest.digest('hex'), length };
}

async function largeExport(node, count) {
  const rows = [];
  for (const [name, type] of [
    ['NDJSON', 'application/x-ndjson'],
    ['CSV', 'text/csv'],
  ]) {
    const before = memoryMb(node.pid);
    const { result, peak } = await watchMemory(node.pid, async () => {
      const { body } = await fetch(`${node.url}/bench/many?keys={"n":1,"text":1}`, {
        headers: { Accept: type },
      });
      let lines = 0;
      let pieces = 0;
      for await (const chunk of body) {
        lines += countLines(chunk);
        pieces += 1;
        // a slow reader: what it does not take must wait in the database
        if (pieces % 200 === 0) await delay(200);
      }
      return lines;
    });
    const expected = type === 'text/csv' ? count + 1 : count;
    rows.push({
      name: `node's memory, ${name} export of ${count.toLocaleString('en')} documents`,
      value: `${peak.toFixed(0)} MB`,
      target: '<= 150 MB',
      met: peak <= 150 && result === expected,
      note: `${before.toFixed(0)} MB before${result === expected ? '' : `; ${result} lines`}`,
    });
  }
  return rows;
}

function countLines(chunk) {
  let lines = 0;
  for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
  return lines;
}

/** By a client that sends all lines before it reads a result: the results have to wait somewhere. */
async function largeImport(node, count) {
  await fetch(`${node.url}/bench/imported`, { method: 'PUT' });
  const before = memoryMb(node.pid);
  const { result, peak } = await watchMemory(node.pid, async () => {
    const message = request(`${node.url}/bench/imported`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-ndjson' },
    });
    const answered = new Promise((resolve, reject) => {
      message.on('response', resolve).on('error', reject);
    });
    for (let from = 0; from < count; from += 1000) {
      let lines = '';
      for (let i = from; i < from + 1000; i += 1)
        lines += `{"n":${i},"text":"${'x'.repeat(60)}"}\n`;
      if (!message.write(lines)) await new Promise((resolve) => message.once('drain', resolve));
    }
    message.end();
    await delay(500);
    let results = 0;
    for await (const chunk of await answered) results += countLines(chunk);
    return results;
  });
  return [
    {
      name: `node's memory, NDJSON import of ${count.toLocaleString('en')} lines`,
      value: `${peak.toFixed(0)} MB`,
      target: '<= 150 MB',
      met: peak <= 150 && result === count,
      note: `${before.toFixed(0)} MB before${result === count ? '' : `; ${result} results`}`,
    },
  ];
}

/** Page 10,000 by cursor beside the first one. */
async function farPage(node, count, short) {
  const size = count / 10_000;
  const page = (after, pageSize) => `${node.url}/bench/many?pagesize=${pageSize}&after=${after}`;
  let after = '';
  // cursors know where a page ended and not how long it was, so the way there takes longer steps
  for (let passed = 0; passed < count - size; ) {
    const step = Math.min(1000, count - size - passed);
    const response = await fetch(page(after, step));
    await response.arrayBuffer();
    after = /after=([\w-]+)[^,]*>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
    if (after === undefined) throw new Error(`no next page after ${passed} documents`);
    passed += step;
  }
  const rates = { first: [], far: [] };
  for (let round = 0; round < (short ? 3 : 7); round += 1) {
    for (const [key, url] of [
      ['first', page('', size)],
      ['far', page(after, size)],
    ]) {
      const { requestsPerSecond } = await runLoad({ url, seconds: 1, connections: 16 });
      rates[key].push(requestsPerSecond);
    }
  }
  const ratio = median(rates.first.map((rate, i) => rate / rates.far[i]));
  return [
    {
      name: `GET page 10,000 of ${size} by cursor, cost beside page 1`,
      value: `${ratio.toFixed(2)}x`,
      target: '<= 2.0x',
      met: ratio <= 2,
      note: `${Math.round(median(rates.far))} against ${Math.round(median(rates.first))} requests/s`,
    },
  ];
}
