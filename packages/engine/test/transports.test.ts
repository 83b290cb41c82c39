import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, describe, expect, it } from 'vitest';
import { startEngine } from '../src/index.ts';
import { createTestEngine } from './support/engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-transports-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A certificate for localhost; nothing when this machine has no openssl. */
function certificate(): { key: string; cert: string; file: string } | undefined {
  const key = join(folder, 'key.pem');
  const file = join(folder, 'cert.pem');
  const options = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost`;
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  try {
    const args = [...options.split(' '), ...names, '-keyout', key, '-out', file];
    execFileSync('openssl', args, { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(file, 'utf8'), file };
}

describe('a local socket', () => {
  it('serves beside the port', async () => {
    const socketPath = join(folder, 'engine.sock');
    const test = await createTestEngine({ socketPath });
    const client = new MongoClient(`mongodb://${encodeURIComponent(socketPath)}/`, {
      directConnection: true,
      serverSelectionTimeoutMS: 20_000,
    });
    try {
      await client.db('app').collection('c').insertOne({ by: 'socket' });
      expect(await test.client.db('app').collection('c').findOne({})).toMatchObject({
        by: 'socket',
      });
      expect(statSync(socketPath).isSocket()).toBe(true);
    } finally {
      await client.close();
      await test.close();
    }
  });
});

const pair = certificate();

describe.skipIf(pair === undefined)('TLS (needs openssl)', () => {
  it('serves those who speak it, and nobody else', async () => {
    const engine = await startEngine({
      dataPath: join(folder, 'tls'),
      port: 0,
      tls: { key: pair?.key, cert: pair?.cert },
    });
    const client = new MongoClient(`mongodb://127.0.0.1:${engine.port}/?directConnection=true`, {
      tls: true,
      tlsCAFile: pair?.file ?? '',
      serverSelectionTimeoutMS: 20_000,
    });
    const plain = new MongoClient(`mongodb://127.0.0.1:${engine.port}/?directConnection=true`, {
      serverSelectionTimeoutMS: 500,
    });
    try {
      await expect(plain.db('app').command({ ping: 1 })).rejects.toThrow();
      await client.db('app').collection('c').insertOne({ by: 'tls' });
      expect(await client.db('app').collection('c').countDocuments()).toBe(1);
    } finally {
      await plain.close();
      await client.close();
      await engine.close();
    }
  });
});
