import { describe, expect, it } from 'vitest';
import { documentOf } from '../../model/bson.ts';
import { mergeProperties } from './response-projection.ts';

const forced = documentOf({ owner: 'me' });

describe('mergeProperties', () => {
  it('overwrites what the client sends, at the root and below', () => {
    const body = documentOf({ owner: 'you', a: 1, 'owner.x': 2 });
    expect(mergeProperties(body, forced, false)).toEqual(documentOf({ a: 1, owner: 'me' }));
    expect(mergeProperties(undefined, forced, false)).toEqual(forced);
  });

  it('goes into each item of an array', () => {
    expect(mergeProperties([documentOf({ 'owner.x': 1 })], forced, false)).toEqual([forced]);
  });

  it('goes into $set beside operators, whatever they do to the property', () => {
    const body = documentOf({ $inc: { n: 1 }, $rename: { a: 'owner' }, $unset: { 'owner.x': '' } });
    expect(mergeProperties(body, forced, true)).toEqual(
      documentOf({ $inc: { n: 1 }, $set: { owner: 'me' } }),
    );
  });

  it('is a literal at the end of a pipeline', () => {
    expect(mergeProperties([], documentOf({ owner: '$password' }), true)).toEqual([
      documentOf({ $set: { owner: { $literal: '$password' } } }),
    ]);
  });
});
