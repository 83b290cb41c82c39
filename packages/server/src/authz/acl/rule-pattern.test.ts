import { Script } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { parseJson } from '../../representation/json-reader.ts';
import type { AuthorizationExchange } from './exchange-attribute.ts';
import { toPermission } from './permission.ts';
import { compileRulePattern, UndecidedPredicate } from './rule-pattern.ts';
import { judgePermission } from './select-permission.ts';

const plain = { whole: false, caseSensitive: false };

describe('patterns of rules', () => {
  it('find anywhere, in any case, unless told otherwise, and give their groups', () => {
    expect(compileRulePattern('/USERS/([^/]+)(/x)?', plain)('/a/users/bob/y')).toEqual([
      '/users/bob',
      'bob',
      undefined,
    ]);
    expect(compileRulePattern('users', { ...plain, whole: true })('/users')).toBeNull();
    expect(compileRulePattern('USERS', { ...plain, caseSensitive: true })('/users')).toBeNull();
    expect(compileRulePattern('^/(?!secret)', plain)('/secret')).toBeNull();
    expect(compileRulePattern('^/(?!secret)', plain)('/open')).not.toBeNull();
    expect(() => compileRulePattern('(', plain)).toThrow(SyntaxError);
  });

  it('take no time that a text could make long, or have no answer', () => {
    const text = `${'a'.repeat(100_000)}!`;
    expect(compileRulePattern('^(a+)+$', plain)(text)).toBeNull();
    // only the slow engine has look-ahead
    const slow = compileRulePattern('^(?=a)(a+)+$', plain);
    expect(() => slow(`${'a'.repeat(60)}!`)).toThrow(UndecidedPredicate);
  });

  it('are tried again when the clock ran out while the process waited for the processor', () => {
    const match = compileRulePattern('^/(?!secret)', plain);
    const timeout = Object.assign(new Error('timed out'), {
      code: 'ERR_SCRIPT_EXECUTION_TIMEOUT',
    });
    const run = vi.spyOn(Script.prototype, 'runInContext').mockImplementationOnce(() => {
      throw timeout;
    });
    try {
      expect(match('/open')).not.toBeNull();
      expect(run).toHaveBeenCalledTimes(2);
    } finally {
      run.mockRestore();
    }
  });

  it('cannot be padded away, nor turned round by a not', () => {
    const rule = (predicate: string) =>
      toPermission(new Map([...Object.entries({ roles: ['r'], predicate })]) as never, {
        parseJson,
      });
    const exchange = (rawQuery: string) =>
      ({ path: '/x', method: 'GET', rawQuery }) as AuthorizationExchange;
    const hidden = rule("not regex(pattern='secret', value='%q')");
    const padding = 'x'.repeat(10_000);
    expect(judgePermission(hidden, exchange(`a=${padding}`), undefined)).toBe('match');
    expect(judgePermission(hidden, exchange(`keys=secret&a=${padding}`), undefined)).toBe(
      'predicate is false',
    );
    const slow = rule("not regex(pattern='^(?=[?])[?](a+)+$', value='%q')");
    expect(judgePermission(slow, exchange(`${'a'.repeat(60)}!`), undefined)).toBe(
      'predicate is false',
    );
  });
});
