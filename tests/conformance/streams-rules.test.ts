/** Who may open a change stream, and what its stages know of the account: streams.md §1, §2. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bearer } from '../support/jwt.ts';
import {
  command,
  MONGO_SECURITY,
  type SecurityTable,
  testSecurityRows,
} from '../support/security-rows.ts';
import { openSse, openWebSocket, type StreamClient } from '../support/stream-clients.ts';
import { ALL_DATABASES, openTarget, type Target } from '../support/target.ts';

const STREAM = 'PUT /{db}/{c} {"streams":[{"uri":"s","stages":[]}]}';
const SSE = { Accept: 'text/event-stream' };
const UPGRADE = { Connection: 'Upgrade', Upgrade: 'websocket' };

const row = (name: string, more: Omit<SecurityTable[number], 'name' | 'chapter' | 'given'>) => ({
  name,
  chapter: 'streams §2',
  given: [STREAM],
  ...more,
});

const ROWS: SecurityTable = [
  row('SSE asks who it is', {
    request: 'GET /{db}/{c}/_streams/s',
    headers: SSE,
    status: 401,
    text: '',
    replyHeaders: { 'WWW-Authenticate': /Basic/ },
  }),
  row('a WebSocket asks who it is, before its handshake is judged', {
    request: 'GET /{db}/{c}/_streams/s',
    headers: UPGRADE,
    status: 401,
    text: '',
  }),
  row('nobody learns which streams there are', {
    request: 'GET /{db}/{c}/_streams/other',
    headers: SSE,
    status: 401,
  }),
  row('a stream refuses whom no rule allows', {
    as: 'user',
    request: 'GET /{db}/{c}/_streams/s',
    headers: UPGRADE,
    status: 403,
    text: '',
  }),
  row('a rule on the path opens the way to the stream', {
    as: 'user',
    acl: [{ predicate: "path('/{db}/{c}/_streams/other')" }],
    request: 'GET /{db}/{c}/_streams/other',
    headers: SSE,
    status: 404,
  }),
];

describe('streams under rules', () => {
  let target: Target;
  const open: StreamClient[] = [];
  beforeAll(async () => {
    target = await openTarget(ALL_DATABASES, MONGO_SECURITY);
  });
  afterEach(() => {
    for (const client of open.splice(0)) client.close();
  });
  afterAll(() => target.close());

  testSecurityRows(() => target.baseUrl, ROWS);

  async function declare(collection: string, stages: unknown[]): Promise<string> {
    await command(target.baseUrl, 'PUT /streamrules');
    await command(
      target.baseUrl,
      `PUT /streamrules/${collection} ${JSON.stringify({ streams: [{ uri: 's', stages }] })}`,
    );
    return `/streamrules/${collection}/_streams/s`;
  }

  async function allow(id: string, role: string, path: string): Promise<void> {
    const rule = {
      _id: id,
      roles: [role],
      predicate: `path('${path}')`,
      mongo: { readFilter: { n: 1 } },
    };
    await command(target.baseUrl, `POST /restheart/acl ${JSON.stringify(rule)}`);
  }

  it('are open to everybody where a rule says so', async () => {
    const path = await declare('public', []);
    await allow('public-stream', '$unauthenticated', path);
    const client = await openWebSocket(target.baseUrl, path);
    open.push(client);
    // the rule's filter does not hold for events
    await command(target.baseUrl, 'POST /streamrules/public {"_id":"a","n":2}');
    expect(JSON.parse(await client.next())).toMatchObject({ fullDocument: { _id: 'a', n: 2 } });
  });

  it('know the account of each client', async () => {
    const path = await declare('own', [
      { $match: { 'fullDocument.owner': { $var: '@user.name' } } },
    ]);
    await allow('own-stream', 'reader', path);
    const connect = async (name: string) => {
      const headers = { Authorization: bearer(name, ['reader'], { name }) };
      const client = await openSse(target.baseUrl, path, headers);
      expect(client.status).toBe(200);
      open.push(client);
      return client;
    };
    const [ann, bob] = [await connect('ann'), await connect('bob')];
    await command(target.baseUrl, 'POST /streamrules/own {"_id":1,"owner":"bob"}');
    await command(target.baseUrl, 'POST /streamrules/own {"_id":2,"owner":"ann"}');
    expect(await ann.next()).toContain('"documentKey": {"_id": 2}');
    expect(await bob.next()).toContain('"documentKey": {"_id": 1}');
  });
});
