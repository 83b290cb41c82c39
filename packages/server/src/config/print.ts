import { stringify } from 'yaml';
import type { LoadedConfig } from './load.ts';
import { maskSecrets } from './mask-secrets.ts';
import { LIST_DEFAULTS, LIST_SECTIONS, SECTIONS } from './schema.ts';

/** The effective configuration as YAML that starts with `---`, secrets masked; `-c`. */
export function printConfiguration(config: LoadedConfig): string {
  const lists = Object.fromEntries(
    [...LIST_SECTIONS]
      .filter((name) => name in config.root)
      .map((name) => [name, config.root[name]]),
  );
  const settings = Object.fromEntries(
    Object.entries(config.settings).filter(([name]) => !LIST_SECTIONS.has(name)),
  );
  return `---\n${stringify(maskSecrets({ ...config.root, ...settings, ...lists }))}`;
}

/** Every section and key with its default and its text, as a file to start from; `-t`. */
export function printTemplate(): string {
  const blocks = Object.entries(SECTIONS).map(([name, section]) => {
    const lines = Object.entries(section.keys).map(([key, row]) => {
      const unit = row.unit === undefined ? '' : ` (${row.unit})`;
      const value = row.fallback === null ? '~' : JSON.stringify(row.fallback);
      return `  # ${row.text}${unit}\n  ${key}: ${value}`;
    });
    const list = LIST_DEFAULTS.get(name);
    if (list !== undefined)
      lines.push(
        ...stringify(list)
          .trimEnd()
          .split('\n')
          .map((line) => `  ${line}`),
      );
    return `# ${section.text}\n${name}:\n${lines.join('\n')}\n`;
  });
  return `---\n${blocks.join('\n')}`;
}
