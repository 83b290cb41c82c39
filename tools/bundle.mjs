// Joins what the command line loads into a few files: the start takes half the time that hundreds of modules take to find.
// Dependencies stay outside, so that they are installed, deduplicated and patched by npm as ever.
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'packages/server/src');
/** As deep as the modules that find files of the package by their own place. */
const outdir = join(root, 'packages/server/dist/bundle');
/** A node that starts meanwhile finds the old files or the new ones. */
const unfinished = `${outdir}-${process.pid}`;

const dependenciesOf = (name) => {
  const path = join(root, 'packages', name, 'package.json');
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(path, 'utf8'));
  return Object.keys({ ...dependencies, ...peerDependencies });
};
const external = ['server', 'engine']
  .flatMap(dependenciesOf)
  .filter((name) => !name.startsWith('@quorate/'));

await build({
  entryPoints: [join(source, 'main.ts'), join(source, 'app/engine-worker.ts')],
  outdir: unfinished,
  entryNames: '[name]',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  conditions: ['quorate-source'],
  external: external.flatMap((name) => [name, `${name}/*`]),
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
});
rmSync(outdir, { recursive: true, force: true });
renameSync(unfinished, outdir);
