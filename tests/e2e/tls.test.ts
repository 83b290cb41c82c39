/** HTTPS and HTTP/2 with certificates that are renewed while the server runs. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from '../../packages/engine/src/index.ts';
import { type App, createApp } from '../../packages/server/src/app/create-app.ts';
import { loadConfig } from '../../packages/server/src/config/load.ts';
import { HAS_OPENSSL, makeCertificate } from '../support/certificate.ts';

const why = HAS_OPENSSL ? '' : ': skipped, openssl is not installed';

describe.skipIf(!HAS_OPENSSL)(`TLS${why}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-tls-'));
  const key = join(folder, 'server.key');
  const cert = join(folder, 'server.pem');
  let app: App;
  let engine: Engine;
  let port = 0;

  beforeAll(async () => {
    install('first', 11);
    engine = await startEngine({ dataPath: join(folder, 'data'), port: 0 });
    const configFile = join(folder, 'quorate.yml');
    writeFileSync(
      configFile,
      `http-listener:
  enabled: false
https-listener:
  enabled: true
  host: 127.0.0.1
  port: 0
  key-path: ${key}
  cert-path: ${cert}
  reload-interval: 50
fullAuthorizer:
  enabled: true
  authentication-required: false
mongo:
  mongo-mounts:
    - {what: "*", where: /}
securityHeaders:
  strict-transport-security: max-age=60
logging:
  log-to-console: false
`,
    );
    app = await createApp(loadConfig({ configFile, environment: { MONGODB_URI: engine.uri } }));
    port = app.listeners[0]?.port ?? 0;
  });
  afterAll(async () => {
    await app?.close();
    await engine?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function install(name: string, serial: number): void {
    const made = makeCertificate(folder, name, serial);
    copyFileSync(made.key, key);
    copyFileSync(made.cert, cert);
  }

  function serialNow(): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        const peer: PeerCertificate = socket.getPeerCertificate();
        socket.destroy();
        resolve(peer.serialNumber);
      });
      socket.on('error', reject);
    });
  }

  it('answers HTTP/1.1, with the header that keeps browsers on TLS', async () => {
    const reply = await new Promise<{ status: number | undefined; hsts: unknown }>(
      (resolve, reject) => {
        request(`https://127.0.0.1:${port}/ping`, { rejectUnauthorized: false }, (message) => {
          message.resume();
          resolve({
            status: message.statusCode,
            hsts: message.headers['strict-transport-security'],
          });
        })
          .on('error', reject)
          .end();
      },
    );
    expect(reply).toEqual({ status: 200, hsts: 'max-age=60' });
  });

  it('answers HTTP/2', async () => {
    const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    const status = await new Promise((resolve, reject) => {
      session.on('error', reject);
      const stream = session.request({ ':path': '/ping' });
      stream.on('response', (headers) => resolve(headers[':status']));
      stream.resume();
    });
    session.close();
    expect(status).toBe(200);
  });

  it('reads bodies without a length over HTTP/2, and streams files', async () => {
    const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    const ask = (method: string, path: string, body?: string, type = 'application/json') =>
      new Promise<{ status: unknown; text: string; sniffing: unknown }>((resolve, reject) => {
        const headers = { ':method': method, ':path': path, 'content-type': type };
        const stream = session.request(headers, { endStream: body === undefined });
        const chunks: Buffer[] = [];
        let head: Record<string, unknown> = {};
        stream.on('response', (received) => {
          head = received;
        });
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () =>
          resolve({
            status: head[':status'],
            text: Buffer.concat(chunks).toString(),
            sniffing: head['x-content-type-options'],
          }),
        );
        stream.on('error', reject);
        // Node's client sends no content-length
        stream.end(body);
      });
    try {
      for (const path of ['/d', '/d/c', '/d/f.files']) await ask('PUT', path);
      expect((await ask('POST', '/d/c', '{"_id":"a","n":1}')).status).toBe(201);
      expect((await ask('GET', '/d/c/a')).text).toContain('"n": 1');
      const upload =
        '--x\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{"_id":"f"}\r\n' +
        '--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\ndata\r\n--x--\r\n';
      const type = 'multipart/form-data; boundary=x';
      expect((await ask('POST', '/d/f.files', upload, type)).status).toBe(201);
      expect(await ask('GET', '/d/f.files/f/binary')).toEqual({
        status: 200,
        text: 'data',
        sniffing: 'nosniff',
      });
    } finally {
      session.close();
    }
  });

  it('refuses TLS 1.1', async () => {
    const outcome = await new Promise((resolve) => {
      const socket = connect(
        {
          port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          maxVersion: 'TLSv1.1',
          minVersion: 'TLSv1.1',
          ciphers: 'ALL@SECLEVEL=0',
        },
        () => resolve('connected'),
      );
      socket.on('error', () => resolve('refused'));
    });
    expect(outcome).toBe('refused');
  });

  it('takes a renewed certificate without a restart, and keeps the old one when the new one is broken', async () => {
    expect(await serialNow()).toBe('0B');
    const open = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    await new Promise((resolve) => open.once('connect', resolve));
    install('second', 12);
    await expect.poll(serialNow, { timeout: 5000 }).toBe('0C');
    // a connection that was open is not cut
    const status = await new Promise((resolve) => {
      const stream = open.request({ ':path': '/ping' });
      stream.on('response', (headers) => resolve(headers[':status']));
      stream.resume();
    });
    open.close();
    expect(status).toBe(200);
    writeFileSync(cert, 'no certificate');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await serialNow()).toBe('0C');
    install('third', 13);
    await expect.poll(serialNow, { timeout: 5000 }).toBe('0D');
  });
});
