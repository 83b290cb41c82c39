import { connect as connectSocket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { useEngine } from './support/engine.ts';

const test = useEngine();

describe('a connection', () => {
  it('is discovered as the primary of a replica set', async () => {
    const reply = await test().client.db('admin').command({ hello: 1 });
    expect(reply).toMatchObject({
      isWritablePrimary: true,
      setName: 'quorate',
      maxWireVersion: 25,
      ok: 1,
    });
    expect(reply['hosts']).toEqual([reply['me']]);
  });

  it('may be compressed', async () => {
    const client = await test().connect({ compressors: ['zlib'] });
    await expect(client.db('admin').command({ ping: 1 })).resolves.toMatchObject({ ok: 1 });
  });

  it.each([
    [{ nothingLikeThat: 1 }, 59, "no such command: 'nothingLikeThat'"],
    [{ ping: 1, foo: 1 }, 40415, "BSON field 'ping.foo' is an unknown field."],
    [{ getMore: 1n, collection: 'x' }, 43, 'cursor id 1 not found'],
    [{ getMore: 'x', collection: 'x' }, 14, "BSON field 'getMore.getMore' is the wrong type"],
    [{ getParameter: 1, noSuchParameter: 1 }, 72, 'no option found to get'],
    [{ ping: 1, maxTimeMS: -1 }, 2, 'maxTimeMS'],
    [{ ping: 1, apiVersion: '2' }, 322, 'API version'],
    [{ buildInfo: 1, apiVersion: '1', apiStrict: true }, 323, 'buildInfo is not in API Version 1'],
  ])('answers %o with code %i', async (command, code, message) => {
    const error = await test()
      .client.db('admin')
      .command(command)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toContain(message);
  });

  it.each([
    ['a length of nothing', Buffer.alloc(16)],
    ['an oversized length', Buffer.from([0xff, 0xff, 0xff, 0x7f, ...new Array(12).fill(0)])],
    ['an unknown opcode', Buffer.from([16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 9, 0, 0])],
  ])('is closed alone by %s', async (_, bytes) => {
    await new Promise<void>((resolve) => {
      const socket = connectSocket(test().engine.port, '127.0.0.1');
      socket.on('close', () => resolve());
      socket.on('error', () => undefined);
      socket.write(bytes);
    });
    await expect(test().client.db('admin').command({ ping: 1 })).resolves.toMatchObject({ ok: 1 });
  });
});
