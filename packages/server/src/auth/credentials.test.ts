import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../model/http-request.ts';
import { readBasicCredentials, readBearerToken, readCookie } from './credentials.ts';
import { DigestMechanism } from './mechanisms/digest.ts';

const basic = (name: string, secret: string) =>
  `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;

describe('Basic credentials', () => {
  it('are read as they were written, colons of the secret included', () => {
    const names = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes(':'));
    fc.assert(
      fc.property(names, fc.string({ unit: 'grapheme' }), (name, secret) => {
        expect(readBasicCredentials(basic(name, secret))).toEqual({
          name,
          secret,
          exactScheme: true,
        });
      }),
    );
  });

  it('are none in any other header', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const header of [text, `Basic ${text}`, `basic ${text}`]) {
          const read = readBasicCredentials(header);
          expect(read === undefined || !read.name.includes(':')).toBe(true);
        }
        expect(readBearerToken(text)?.startsWith(' ')).not.toBe(true);
      }),
    );
  });
});

describe('cookies', () => {
  it('are found among others, the last one of a name', () => {
    const words = fc.stringMatching(/^[a-z0-9._-]{1,12}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(words, words)), words, words, (others, name, value) => {
        const header = [...others, [name, value]].map(([n, v]) => `${n}=${v}`).join('; ');
        expect(readCookie(header, name)).toBe(value);
      }),
    );
  });
});

describe('Digest headers', () => {
  const mechanism = new DigestMechanism(
    { find: async () => undefined },
    { realm: 'r', domain: 'd', nonceKey: () => new Uint8Array(32) },
  );
  const request = { method: 'GET', rawPath: '/', rawQuery: '' } as HttpRequest;

  it('of any text name nobody', async () => {
    const pieces = fc.constantFrom(
      'username=',
      '"',
      'a',
      ',',
      '\\',
      'nonce=',
      '=',
      ' ',
      'realm="r"',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(pieces), async (parts) => {
        expect(await mechanism.authenticate(request, `Digest ${parts.join('')}`)).toBeUndefined();
      }),
    );
  });

  it('of a megabyte are read in one go', async () => {
    // each letter as a start of its own would take hours
    const header = `Digest ${'a'.repeat(1_000_000)}`;
    expect(await mechanism.authenticate(request, header)).toBeUndefined();
  });
});
