/** Tests that start the server as users do run the files that users run: those of the bundle. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export function setup(): void {
  execFileSync(process.execPath, [join(import.meta.dirname, '../../tools/bundle.mjs')], {
    stdio: 'inherit',
  });
}
