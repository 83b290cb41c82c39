// The resources beside documents as everybody writes them first: node:http, the official driver, EJSON. A yardstick.
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { EJSON } from 'bson';
import { GridFSBucket, MongoClient } from 'mongodb';

const [, , uri, port] = process.argv;
const client = await new MongoClient(uri).connect();
const database = client.db('bench');
const collection = database.collection('documents');
const bucket = new GridFSBucket(database, { bucketName: 'b' });

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return EJSON.parse(Buffer.concat(chunks).toString());
}

/** By the last words of the path, as the same requests have them on a node. */
const answers = {
  _size: async () => ({ _size: await collection.countDocuments({}) }),
  _meta: () => database.collection('_properties').findOne({ _id: '_properties.documents' }),
  _indexes: () => collection.indexes(),
  sum: () =>
    collection
      .aggregate([
        { $match: { count: { $lt: 200 } } },
        { $group: { _id: '$active', sum: { $sum: '$price' } } },
      ])
      .toArray(),
  bench: async () =>
    (await database.listCollections({}, { nameOnly: true }).toArray()).map((c) => c.name),
};

const server = createServer(async (request, response) => {
  try {
    const path = request.url.split('?')[0];
    const last = path.split('/').at(-1);
    if (request.method === 'POST') {
      const body = await readBody(request);
      const target = database.collection(path.split('/')[2]);
      if (Array.isArray(body)) await target.insertMany(body);
      else await target.insertOne(body);
      response.writeHead(201).end();
    } else if (last === 'binary') {
      const [file] = await bucket.find({ _id: path.split('/')[3] }).toArray();
      response.writeHead(200, {
        'Content-Type': 'application/octet-stream',
        'Content-Length': file.length,
      });
      await pipeline(bucket.openDownloadStream(file._id), response);
    } else if (path.includes('.files/')) {
      send(response, await database.collection('b.files').findOne({ _id: last }));
    } else {
      send(response, await answers[last]());
    }
  } catch (error) {
    // a client that leaves in the middle of a file is no failure
    if (response.headersSent) response.destroy();
    else response.writeHead(500).end(String(error));
  }
});

function send(response, value) {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(EJSON.stringify(value));
}

server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
