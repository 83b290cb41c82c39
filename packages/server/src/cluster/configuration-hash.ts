import { createHash } from 'node:crypto';

// what may differ between the nodes of a cluster (cluster.md D7)
const OWN_SECTIONS = new Set(['http-listener', 'https-listener', 'logging', 'quorate', 'mclient']);
const OWN_KEYS: Readonly<Record<string, readonly string[]>> = { core: ['name'] };

/** A short hash of the settings that must be equal on all nodes; equal settings in another order give the same. */
export function hashConfiguration(settings: Readonly<Record<string, unknown>>): string {
  const shared = Object.entries(settings).filter(([section]) => !OWN_SECTIONS.has(section));
  const text = stableText(
    Object.fromEntries(
      shared.map(([section, keys]) => [section, without(keys, OWN_KEYS[section] ?? [])]),
    ),
  );
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function without(keys: unknown, names: readonly string[]): unknown {
  if (names.length === 0 || typeof keys !== 'object' || keys === null) return keys;
  return Object.fromEntries(Object.entries(keys).filter(([name]) => !names.includes(name)));
}

function stableText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stableText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${stableText(member)}`);
  return `{${members.join(',')}}`;
}
