/** Resumable uploads by the tus protocol, and keyset paging to the end: conversations that rows cannot hold. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTarget, type Target } from '../support/target.ts';

let target: Target;
const database = `cv-${Date.now().toString(36)}`;
beforeAll(async () => {
  target = await openTarget();
  for (const path of ['', '/b.files', '/c']) {
    await fetch(`${target.baseUrl}/${database}${path}`, { method: 'PUT' });
  }
});
afterAll(() => target.close());

const TUS = { 'Tus-Resumable': '1.0.0' };
const base64 = (text: string) => Buffer.from(text).toString('base64');

async function begin(length: number, id: string): Promise<string> {
  const reply = await fetch(`${target.baseUrl}/${database}/b.files`, {
    method: 'POST',
    headers: {
      ...TUS,
      'Upload-Length': String(length),
      'Upload-Metadata': `filename ${base64('x.bin')},metadata ${base64(`{"_id":"${id}"}`)}`,
    },
  });
  expect(reply.status).toBe(201);
  return reply.headers.get('Location') ?? '';
}

function send(url: string, offset: number, body: Buffer): Promise<Response> {
  const headers = {
    ...TUS,
    'Upload-Offset': String(offset),
    'Content-Type': 'application/offset+octet-stream',
  };
  return fetch(url, { method: 'PATCH', headers, body: new Uint8Array(body) });
}

describe('resumable uploads', () => {
  it('makes one file of several parts', async () => {
    const content = randomBytes(600_000);
    const url = await begin(content.length, 'parts');
    for (const [start, end] of [
      [0, 1],
      [1, 300_000],
      [300_000, 600_000],
    ] as const) {
      const reply = await send(url, start, content.subarray(start, end));
      expect(reply.status).toBe(204);
      expect(reply.headers.get('Upload-Offset')).toBe(String(end));
    }
    const file = `${target.baseUrl}/${database}/b.files/parts`;
    const stored = Buffer.from(await (await fetch(`${file}/binary`)).arrayBuffer());
    expect(stored.equals(content)).toBe(true);
    expect((await fetch(url, { method: 'HEAD', headers: TUS })).status).toBe(404);
  });

  it('tells how far an upload came', async () => {
    const url = await begin(10, 'progress');
    await send(url, 0, Buffer.from('abc'));
    const reply = await fetch(url, { method: 'HEAD', headers: TUS });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('Upload-Offset')).toBe('3');
    expect(reply.headers.get('Upload-Length')).toBe('10');
  });

  it('refuses another offset, too much content, and another version', async () => {
    const url = await begin(4, 'refused');
    expect((await send(url, 2, Buffer.from('ab'))).status).toBe(409);
    expect((await send(url, 0, Buffer.from('abcdef'))).status).toBe(413);
    const reply = await fetch(url, { method: 'HEAD', headers: { 'Tus-Resumable': '0.2.2' } });
    expect(reply.status).toBe(412);
    expect(reply.headers.get('Tus-Version')).toBe('1.0.0');
  });

  it('ends an upload that is given up', async () => {
    const url = await begin(4, 'ended');
    expect((await fetch(url, { method: 'DELETE', headers: TUS })).status).toBe(204);
    expect((await send(url, 0, Buffer.from('abcd'))).status).toBe(404);
  });
});

describe('keyset paging', () => {
  it.each(['', 'sort=n', 'sort=-n', 'sort=_id', 'sort=missing', 'sort=n&keys={"t":1}'])(
    'shows every document once, in order, with %s',
    async (query) => {
      const url = `${target.baseUrl}/${database}/c`;
      const documents = Array.from({ length: 60 }, (_, i) => ({
        _id: i % 3 === 0 ? `s${i}` : i,
        n: i % 4 === 0 ? null : i % 5,
        t: `t${i}`,
      }));
      await fetch(`${url}?wm=upsert`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(documents),
      });
      const seen: unknown[] = [];
      let next: string | undefined = `/${database}/c?after=&pagesize=7&${query}`;
      for (let pages = 0; next !== undefined && pages < 20; pages += 1) {
        const reply: Response = await fetch(target.baseUrl + next);
        seen.push(...((await reply.json()) as { _id: unknown }[]).map(({ _id }) => _id));
        next = /<([^>]+)>; rel="next"/.exec(reply.headers.get('Link') ?? '')?.[1];
      }
      expect(seen).toHaveLength(60);
      expect(new Set(seen).size).toBe(60);
    },
  );
});
