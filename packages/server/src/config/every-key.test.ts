/** What is promised of every key of the table: misspelled, it is named with the right one; with a wrong value, by its path. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isQuorateError, type QuorateError } from '../errors/quorate-error.ts';
import { loadConfig } from './load.ts';
import { type Key, LIST_SECTIONS, MISPLACED_KEYS, SECTIONS } from './schema.ts';

const load = (rho: string) => loadConfig({ environment: { RHO: rho } });

function refusal(rho: string): QuorateError | undefined {
  try {
    load(rho);
    return undefined;
  } catch (error) {
    if (isQuorateError(error)) return error;
    throw error;
  }
}

const KEYS = Object.entries(SECTIONS)
  .filter(([name]) => !LIST_SECTIONS.has(name))
  .flatMap(([section, { keys, isPlugin }]) =>
    Object.entries(keys as Readonly<Record<string, Key<unknown>>>).map(([key, row]) => ({
      section,
      key,
      row,
      siblings: isPlugin ? [...Object.keys(keys), 'uri'] : Object.keys(keys),
    })),
  );

/** A value of a kind that the key does not have. */
function wrongValue({ kind }: Key<unknown>): unknown {
  switch (kind) {
    case 'boolean':
      return 'yes';
    case 'integer':
    case 'number':
      return 'many';
    case 'text':
      return ['a'];
    case 'texts':
      return { a: 1 };
    case 'choice':
      return 'no such choice';
    case 'any':
      return undefined;
  }
}

describe('every key', () => {
  it('is named when a letter of it is missing', () => {
    for (const { section, key, siblings } of KEYS) {
      const wrong = key.slice(0, -1);
      if (key.length < 4 || siblings.includes(wrong)) continue;
      if (MISPLACED_KEYS.has(`/${section}/${wrong}`)) continue;
      const error = refusal(`/${section}/${wrong}->1`);
      expect(error?.code, `${section}/${wrong}`).toBe('ERR_CONFIG_UNKNOWN_KEY');
      expect(error?.message).toContain(`/${section}/${wrong} (environment variable RHO)`);
      const named = error?.hint?.slice(`The nearest valid key is /${section}/`.length);
      // of two keys that are equally near, either is a good hint
      expect(siblings.filter((name) => name.startsWith(wrong))).toContain(named);
    }
  });

  it('is named when its value is of another kind', () => {
    for (const { section, key, row } of KEYS) {
      const value = wrongValue(row);
      if (value === undefined || row.isLenient === true) continue;
      const error = refusal(`/${section}/${key}->${JSON.stringify(value)}`);
      expect(error?.code, `${section}/${key}`).toBe('ERR_CONFIG_INVALID');
      expect(error?.message).toMatch(new RegExp(`^/${section}/${key} must be .*RHO`));
      if (row.isSecret === true) expect(error?.message).not.toContain('"a"');
    }
  });

  it('takes its own default', () => {
    for (const { section, key, row } of KEYS) {
      if (row.fallback === null) continue;
      const { settings } = load(`/${section}/${key}->${JSON.stringify(row.fallback)}`);
      const block = settings[section as keyof typeof settings] as Readonly<Record<string, unknown>>;
      expect(block[key], `${section}/${key}`).toEqual(row.fallback);
    }
  });

  it('with any value is taken or refused by an error of ours', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KEYS), fc.jsonValue(), ({ section, key }, value) => {
        const error = refusal(`/${section}/${key}->${JSON.stringify(value)}`);
        expect(error === undefined || error.family === 'config').toBe(true);
      }),
    );
  });
});
