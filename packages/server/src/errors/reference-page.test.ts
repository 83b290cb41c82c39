import { expect, it } from 'vitest';
import { ERROR_CODES } from './codes.ts';
import { errorsPage } from './reference-page.ts';

it('is what docs/reference/errors.md says', async () => {
  const page = new URL('../../../../docs/reference/errors.md', import.meta.url);
  await expect(errorsPage()).toMatchFileSnapshot(page.pathname);
});

it('has a code in every row that begins as its family does', () => {
  const prefixes: Readonly<Record<string, RegExp>> = {
    request: /^ERR_REQUEST_/,
    authentication: /^ERR_AUTH_/,
    authorization: /^ERR_AUTHZ_/,
    'not-found': /^ERR_NOT_FOUND/,
    conflict: /^ERR_CONFLICT/,
    validation: /^ERR_(VALIDATION|STREAM)_/,
    database: /^ERR_DATABASE/,
    proxy: /^ERR_PROXY_/,
    plugin: /^ERR_PLUGIN/,
    config: /^ERR_CONFIG_/,
    internal: /^ERR_(INTERNAL|DRAINING|NOT_IMPLEMENTED)/,
  };
  for (const [code, { family }] of Object.entries(ERROR_CODES))
    expect(code).toMatch(prefixes[family] ?? /never/);
});
