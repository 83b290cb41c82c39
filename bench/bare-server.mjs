// What everybody writes first: node:http, the official driver, EJSON. The benchmarks' yardstick.
import { createServer } from 'node:http';
import { EJSON } from 'bson';
import { MongoClient, ObjectId } from 'mongodb';

const [, , uri, port] = process.argv;
const client = await new MongoClient(uri).connect();
const collection = client.db('bench').collection('documents');

const server = createServer(async (request, response) => {
  try {
    if (request.method === 'POST') {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const { insertedId } = await collection.insertOne(
        EJSON.parse(Buffer.concat(chunks).toString()),
      );
      response.writeHead(201, { Location: `${request.url}/${insertedId}` }).end();
      return;
    }
    const [, , , id] = request.url.split('?')[0].split('/');
    const found = id
      ? await collection.findOne({ _id: new ObjectId(id) })
      : await collection.find().sort({ _id: -1 }).limit(100).toArray();
    response.writeHead(found ? 200 : 404, { 'Content-Type': 'application/json' });
    response.end(found ? EJSON.stringify(found) : '');
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
