import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fillFilter } from './ldap-realm.ts';

it('a name is never syntax of a filter', () => {
  expect(fillFilter('(&(uid={name})(o=x))', { name: 'a*)(uid=\\b' })).toBe(
    '(&(uid=a\\2a\\29\\28uid=\\5cb)(o=x))',
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const filled = fillFilter('(uid={name})', { name });
      expect(filled.slice(5, -1)).not.toMatch(/[*()\0]/);
      const back = filled
        .slice(5, -1)
        .replace(/\\([0-9a-f]{2})/g, (_all, hex: string) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        );
      expect(back).toBe(name);
    }),
  );
});

it('what has no value stays as it is', () => {
  expect(fillFilter('(member={dn})', { name: 'x' })).toBe('(member={dn})');
});
