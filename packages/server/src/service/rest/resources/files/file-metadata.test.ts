import { describe, expect, it } from 'vitest';
import { ObjectId } from '../../../../model/bson.ts';
import { changeMetadata, replaceMetadata } from './file-metadata.ts';

const etag = new ObjectId();
const forced = new Map([['by', 'me']]);

describe('metadata of a file', () => {
  it.each([
    ['metadata', new Map([['metadata', new Map([['by', 'you']])]])],
    ['properties', new Map([['properties', new Map([['by.x', 'you']])]])],
    ['the whole body', new Map([['by', 'you']])],
  ])('have forced properties, whether the client sends %s', (_where, body) => {
    expect(changeMetadata(body as never, etag, forced).get('$set')).toEqual(
      new Map<string, unknown>([
        ['metadata.by', 'me'],
        ['metadata._etag', etag],
      ]),
    );
    expect(replaceMetadata(body as never, etag, forced).get('$set')).toEqual(
      new Map([
        [
          'metadata',
          new Map<string, unknown>([
            ['by', 'me'],
            ['_etag', etag],
          ]),
        ],
      ]),
    );
  });
});
