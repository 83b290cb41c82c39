/** `Idempotency-Key`: one request, however often it is sent; the rows show the ordinary repetition. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTarget, type Target } from '../support/target.ts';

const database = `idempotency-${Date.now().toString(36)}-${process.pid}`;
let target: Target;
beforeAll(async () => {
  target = await openTarget();
  await send('PUT', `/${database}`);
  await send('PUT', `/${database}/c`);
});
afterAll(() => target.close());

function send(method: string, path: string, body?: string, key?: string): Promise<Response> {
  return fetch(target.baseUrl + path, {
    method,
    headers: {
      'Content-Type': 'application/json',
      ...(key === undefined ? {} : { 'Idempotency-Key': key }),
    },
    ...(body === undefined ? {} : { body }),
  });
}

describe('a repeated key', () => {
  it('with another body is refused', async () => {
    const key = randomUUID();
    expect((await send('POST', `/${database}/c`, '{"_id":"a"}', key)).status).toBe(201);
    const other = await send('POST', `/${database}/c`, '{"_id":"b"}', key);
    expect(other.status).toBe(422);
    expect((await send('GET', `/${database}/c/b`)).status).toBe(404);
  });

  it('adds once, also when both requests are under way together', async () => {
    await send('POST', `/${database}/c`, '{"_id":"n","n":0}');
    const key = randomUUID();
    const add = () => send('PATCH', `/${database}/c/n`, '{"$inc":{"n":1}}', key);
    const statuses = (await Promise.all([add(), add(), add()])).map(({ status }) => status);
    for (const status of statuses) expect([200, 409]).toContain(status);
    const again = await add();
    expect(again.status).toBe(200);
    expect(again.headers.get('Idempotency-Replayed')).toBe('true');
    expect(await (await send('GET', `/${database}/c/n`)).json()).toMatchObject({ n: 1 });
  });
});
