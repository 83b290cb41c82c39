import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskUri } from './mask-secrets.ts';
import { parseConfigText, stripJsonComments } from './read-file.ts';

describe('stripJsonComments', () => {
  it('leaves JSON of any content as it is, and takes out what stands between', () => {
    const comments = fc.constantFrom(' // it\'s "so"\n', ' /* { "x": */ ', '\n//\n', ' ');
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), comments, (value, comment) => {
        const lines = JSON.stringify({ value }, null, 1).split('\n');
        expect(JSON.parse(stripJsonComments(lines.join(comment)))).toEqual(
          JSON.parse(JSON.stringify({ value })),
        );
      }),
    );
  });
});

describe('parseConfigText', () => {
  it('names an alias that points nowhere', () => {
    expect(() => parseConfigText('mongo:\n  mongo-mounts: *all\n', 'f')).toThrow(/f: .*all/);
  });

  it('reads any text as sections or refuses it with an error of ours', () => {
    const pieces = fc.constantFrom('a', ':', ' ', '\n', '-', '[', ']', '{', '"', '&x', '*x', '1_0');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((p) => p.join('')),
        ),
        (text) => {
          try {
            expect(typeof parseConfigText(text, 'f').root).toBe('object');
          } catch (error) {
            expect(error).toMatchObject({ code: 'ERR_CONFIG_FILE' });
          }
        },
      ),
    );
  });
});

describe('maskUri', () => {
  it('leaves no password in a connection string', () => {
    const words = fc.stringMatching(/^[a-z0-9._~!$&'()*+,;=%-]{1,20}$/);
    fc.assert(
      fc.property(words, words, (user, secret) => {
        const password = `PW${secret}PW`;
        const uri = `mongodb://${user}:${password}@host1,host2/db?replicaSet=rs0`;
        expect(maskUri(uri)).toBe(`mongodb://${user}:**********@host1,host2/db?replicaSet=rs0`);
      }),
    );
  });
});
