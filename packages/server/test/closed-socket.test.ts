import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, startEngine } from '@quorate/engine';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wakeWritersOfClosedSockets } from '../src/mongo/closed-socket.ts';

describe('an operation on a socket that has ended and not yet closed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-sockets-'));
  const sockets: Socket[] = [];
  const note = (message: unknown): void => {
    sockets.push((message as { readonly socket: Socket }).socket);
  };
  let engine: Engine;
  beforeAll(async () => {
    wakeWritersOfClosedSockets();
    subscribe('net.client.socket', note);
    engine = await startEngine({ dataPath: folder, port: 0 });
  });
  afterAll(async () => {
    unsubscribe('net.client.socket', note);
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is tried again on another one', async () => {
    const client = new MongoClient(engine.uri, { maxPoolSize: 1 });
    const things = client.db('sockets').collection<{ _id: number }>('things');
    await things.insertOne({ _id: 1 });
    for (const socket of sockets) socket.destroy();
    expect(await things.findOne()).toEqual({ _id: 1 });
    for (const socket of sockets) socket.destroy();
    await things.insertOne({ _id: 2 });
    expect(await things.countDocuments()).toBe(2);
    await client.close();
  });
});
