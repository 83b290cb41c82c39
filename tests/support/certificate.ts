/** Certificates for tests, made by openssl. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** False where there is no openssl: then tests of TLS are skipped by name. */
export const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0;

/** Files of a key and its self-signed certificate for `localhost`, named `NAME.key` and `NAME.pem` in the folder. */
export function makeCertificate(
  folder: string,
  name: string,
  serial = 1,
  kind: 'ec' | 'rsa' = 'ec',
) {
  const key = join(folder, `${name}.key`);
  const cert = join(folder, `${name}.pem`);
  const config = join(folder, `${name}.cnf`);
  writeFileSync(
    config,
    '[req]\ndistinguished_name=d\nx509_extensions=e\nprompt=no\n[d]\nCN=localhost\n[e]\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n',
  );
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-nodes', '-newkey', kind === 'ec' ? 'ec' : 'rsa:2048'],
    ...(kind === 'ec' ? ['-pkeyopt', 'ec_paramgen_curve:prime256v1'] : []),
    ...['-config', config, '-days', '2', '-set_serial', String(serial)],
    ...['-keyout', key, '-out', cert],
  ]);
  if (made.status !== 0) throw new Error(made.stderr.toString());
  return { key, cert, pem: readFileSync(cert, 'utf8') };
}
