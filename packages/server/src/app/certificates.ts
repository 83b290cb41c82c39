/** Key and certificate of the TLS listener: read from files, and again when those change. */
import { readFileSync, statSync } from 'node:fs';
import type { Settings } from '../config/schema.ts';
import { QuorateError } from '../errors/quorate-error.ts';
import type { Listener, TlsMaterial } from '../http/listener.ts';
import type { Log } from '../observe/log.ts';

type TlsSettings = Settings['https-listener'];

/** @throws ERR_CONFIG_LISTENER when files are not named or cannot be read */
export function readTls(https: TlsSettings): TlsMaterial {
  const password = https['certificate-password'] ?? https['keystore-password'];
  if (https['key-path'] !== null && https['cert-path'] !== null) {
    return {
      key: readMaterial('key-path', https['key-path']),
      cert: readMaterial('cert-path', https['cert-path']),
      ...(password !== null && { passphrase: password }),
    };
  }
  if (https['keystore-path'] === null || password === null) {
    throw new QuorateError('ERR_CONFIG_LISTENER', {
      message:
        '/https-listener needs keystore-path, keystore-password and certificate-password, or key-path and cert-path',
    });
  }
  return { pfx: readMaterial('keystore-path', https['keystore-path']), passphrase: password };
}

function readMaterial(key: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new QuorateError('ERR_CONFIG_LISTENER', {
      message: `/https-listener/${key}: ${path} cannot be read`,
      cause: error,
    });
  }
}

/**
 * Looks at the files now and then, and gives the listener what is new in them. Looked at rather than watched: mounted
 * secrets change by a swap of links, of which watchers hear nothing.
 *
 * @returns ends it
 */
export function followCertificate(https: TlsSettings, listener: Listener, log: Log): () => void {
  const intervalMs = https['reload-interval'];
  if (intervalMs === 0) return () => undefined;
  let seen = stateOf(https);
  const timer = setInterval(() => {
    const state = stateOf(https);
    if (state === seen) return;
    try {
      listener.setTls(readTls(https));
      log.info('The certificate was renewed', {});
      seen = state;
    } catch (error) {
      // a key without its certificate yet: the next look may find both
      log.warn('The new certificate cannot be used, the old one stays', { err: error });
    }
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

function stateOf(https: TlsSettings): string {
  return [https['key-path'], https['cert-path'], https['keystore-path']]
    .map((path) => {
      const stat = path === null ? undefined : statSync(path, { throwIfNoEntry: false });
      return stat === undefined ? '' : `${stat.mtimeMs} ${stat.ino} ${stat.size}`;
    })
    .join();
}
