import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readForm, readFormCredentials } from './form-credentials.ts';

const read = (text: string, takesRefresh = false) =>
  readFormCredentials(readForm(Buffer.from(text)), { takesRefresh });

describe('readFormCredentials', () => {
  it('reads the grants', () => {
    expect(read('grant_type=password&username=a&password=b%26c')).toEqual({
      kind: 'credentials',
      name: 'a',
      secret: 'b&c',
    });
    expect(read('grant_type=client_credentials&client_id=a&client_secret=b')).toMatchObject({
      name: 'a',
    });
    expect(read('grant_type=refresh_token&refresh_token=x', true)).toEqual({
      kind: 'refresh',
      token: 'x',
    });
  });

  it('refuses everything else with an error of ours', () => {
    const grants = fc.oneof(
      fc.string(),
      fc.constantFrom('constructor', '__proto__', 'toString', 'password', 'refresh_token'),
    );
    fc.assert(
      fc.property(grants, fc.string(), (grant, rest) => {
        const form = `grant_type=${encodeURIComponent(grant)}&${encodeURIComponent(rest)}`;
        expect(() => read(form)).toThrow(expect.objectContaining({ code: 'ERR_REQUEST_BODY' }));
      }),
    );
  });
});
