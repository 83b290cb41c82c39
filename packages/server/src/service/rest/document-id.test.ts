import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Double, Long, MaxKey, MinKey, ObjectId } from '../../model/bson.ts';
import {
  formatIdForLink,
  formatIdForMessage,
  formatIdForUri,
  isSameId,
  parseDocumentId,
  parseIdType,
} from './document-id.ts';

const HEX = '5d9a3b1c2f4e6a0012345678';

describe('parseDocumentId', () => {
  it.each([
    [HEX, 'STRING_OID', new ObjectId(HEX)],
    ['abc', 'STRING_OID', 'abc'],
    [HEX, 'STRING', HEX],
    ['12', 'NUMBER', 12],
    ['12.0', 'NUMBER', new Double(12)],
    ['-3', 'NUMBER', -3],
    ['3000000000', 'NUMBER', Long.fromString('3000000000')],
    ['1577836800500', 'DATE', new Date(1577836800500)],
    ['{"$date":5}', 'DATE', new Date(5)],
    ['x', 'MINKEY', new MinKey()],
    ['x', 'MAXKEY', new MaxKey()],
    ['x', 'NULL', null],
    ['x', 'BOOLEAN', null],
    ['_true', 'NUMBER', true],
    ['_False', 'STRING', false],
    ['_NULL', 'OID', null],
    ['_maxkey', 'STRING', new MaxKey()],
    ['_trueish', 'STRING', '_trueish'],
  ] as const)('reads %s as %s', (token, type, expected) => {
    expect(parseDocumentId(token, type)).toEqual(expected);
  });

  it.each([
    ['abc', 'OID', 400],
    ['"a"', 'NUMBER', 400],
    ['true', 'NUMBER', 400],
    ['"a"', 'DATE', 400],
    ['9999999999999999', 'DATE', 400],
    ['abc', 'NUMBER', 500],
    ['abc', 'DATE', 500],
    ['', 'NUMBER', 500],
  ] as const)('refuses %s as %s with %d', (token, type, status) => {
    expect(() => parseDocumentId(token, type)).toThrow(expect.objectContaining({ status }));
  });

  it('reads back what it formats, for every string that is no magic token or ObjectId', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseDocumentId(formatIdForUri(`s${text}`) ?? '', 'STRING')).toBe(`s${text}`);
      }),
    );
  });

  it('throws nothing but its own errors', () => {
    const types = ['OID', 'STRING_OID', 'NUMBER', 'DATE', 'BOOLEAN'] as const;
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...types), (token, type) => {
        try {
          parseDocumentId(token, type);
        } catch (error) {
          expect(error).toMatchObject({ name: 'QuorateError' });
        }
      }),
    );
  });
});

describe('formatting ids', () => {
  it.each([
    [new ObjectId(HEX), HEX, HEX],
    ['a/b c', 'a/b c', "'a/b c'"],
    [7, '7?id_type=NUMBER', '7'],
    [Long.fromString('3000000000'), '3000000000?id_type=NUMBER', '3000000000'],
    [new Double(1), '1.0?id_type=NUMBER', '1.0'],
    [new Double(1e20), '1.0E20?id_type=NUMBER', '1.0E20'],
    [new Date(5), '5?id_type=DATE', "{'$date':5}"],
    [true, '_true', 'true'],
    [null, '_null', 'null'],
    [new MinKey(), '_MinKey', "{'$minKey':1}"],
    [new MaxKey(), '_MaxKey', "{'$maxKey':1}"],
    [new Map(), '_? (unsuppored _id type)', 'object'],
  ])('%s becomes %s in links and %s in messages', (id, link, message) => {
    expect(formatIdForLink(id)).toBe(link);
    expect(formatIdForMessage(id)).toBe(message);
  });
});

describe('isSameId', () => {
  it('tells types apart', () => {
    expect(isSameId(1, new Double(1))).toBe(false);
    expect(isSameId(HEX, new ObjectId(HEX))).toBe(false);
    expect(isSameId(new ObjectId(HEX), new ObjectId(HEX))).toBe(true);
    expect(isSameId(null, undefined)).toBe(false);
  });
});

describe('parseIdType', () => {
  it('ignores case and refuses what it does not know', () => {
    expect(parseIdType('string_oid')).toBe('STRING_OID');
    expect(parseIdType('int')).toBeUndefined();
  });
});
