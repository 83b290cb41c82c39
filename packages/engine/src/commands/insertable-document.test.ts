import { describe, expect, it } from 'vitest';
import { decodeDocument, encodeDocument } from '../bson/codec.ts';
import { ObjectId, Timestamp, toDocument } from '../bson/value.ts';
import { toInsertable } from './insertable-document.ts';

const now = (): bigint => 77n;

describe('toInsertable', () => {
  it('leaves a document with a leading _id untouched', () => {
    const bytes = encodeDocument(toDocument({ _id: 1, a: 2 }));
    const result = toInsertable(bytes, now);
    expect(result.bytes).toBe(bytes);
    expect(result.id).toBe(1);
  });

  it('puts _id first', () => {
    const bytes = encodeDocument(toDocument({ a: 'x', _id: 5, b: [1] }));
    const { bytes: stored } = toInsertable(bytes, now);
    expect([...decodeDocument(stored)]).toEqual([
      ['_id', 5],
      ['a', 'x'],
      ['b', [1]],
    ]);
  });

  it('makes an _id where there is none', () => {
    const { bytes, id } = toInsertable(encodeDocument(toDocument({ a: 1 })), now);
    expect(id).toBeInstanceOf(ObjectId);
    expect([...decodeDocument(bytes).keys()]).toEqual(['_id', 'a']);
  });

  it('fills an empty timestamp, also when _id has to move', () => {
    const bytes = encodeDocument(toDocument({ t: new Timestamp(0n), _id: 1 }));
    const { bytes: stored } = toInsertable(bytes, now);
    const document = decodeDocument(stored);
    expect([...document.keys()]).toEqual(['_id', 't']);
    expect((document.get('t') as Timestamp).toBigInt()).toBe(77n);
  });

  it.each([
    ['an array', [1]],
    ['a document with $ names', toDocument({ $a: 1 })],
  ])('refuses %s as _id', (_, id) => {
    expect(() => toInsertable(encodeDocument(toDocument({ _id: id })), now)).toThrow(/_id/);
  });
});
