// Checks the import rules, and that they would notice: a forbidden import is planted and must be refused.
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cruise } from 'dependency-cruiser';
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const options = await extractDepcruiseOptions('./.dependency-cruiser.cjs');
const tsConfig = extractTSConfig('./tsconfig.base.json');

async function violations() {
  const { output } = await cruise(['packages'], options, undefined, { tsConfig });
  return output.summary;
}

const summary = await violations();
for (const violation of summary.violations) {
  console.error(
    `${violation.rule.name}: ${violation.from} -> ${violation.to}\n  ${comment(violation)}`,
  );
}
console.log(
  `arch: ${summary.totalCruised} files, ${summary.totalDependenciesCruised} imports, ${summary.violations.length} violations`,
);
if (summary.violations.length > 0) process.exit(1);
if (summary.totalCruised < 50) {
  console.error('arch: too few files were read; the parser does not see the TypeScript sources');
  process.exit(1);
}

// The same rules on a copy of the tree with one forbidden import in it.
const copy = mkdtempSync(join(tmpdir(), 'quorate-arch-'));
try {
  for (const path of ['packages', 'package.json', 'tsconfig.base.json']) {
    cpSync(path, join(copy, path), {
      recursive: true,
      filter: (file) => !/node_modules|\/dist(\/|$)/.test(file),
    });
  }
  symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'));
  writeFileSync(
    join(copy, 'packages/server/src/lib/planted.ts'),
    "import type { Reply } from '../model/reply.ts';\nexport type Planted = Reply;\n",
  );
  process.chdir(copy);
  const planted = await violations();
  const found = planted.violations.some((violation) => violation.from.endsWith('lib/planted.ts'));
  if (!found) {
    console.error('arch: a planted violation (lib importing model) was not refused');
    process.exit(1);
  }
  console.log('arch: a planted violation is refused, as it must be');
} finally {
  rmSync(copy, { recursive: true, force: true });
}

function comment(violation) {
  return (
    options.ruleSet?.forbidden?.find((rule) => rule.name === violation.rule.name)?.comment ?? ''
  );
}
