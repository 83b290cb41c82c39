import * as bson from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryDocument } from '../../test/support/arbitrary-values.ts';
import {
  decodeDocument,
  decodeFields,
  decodeRawField,
  encodeDocument,
  rawTopLevelFields,
  readTopLevelField,
  validateBson,
} from './codec.ts';
import { valuesIdentical } from './compare.ts';
import { type Document, Double, RawDocument, toDocument, type Value } from './value.ts';

/** The library's objects move names such as "0" to the front; ours must not be compared there. */
function withoutIndexNames(document: Document): Document {
  const result: Document = new Map();
  for (const [name, value] of document) result.set(`_${name}`, renamed(value));
  return result;
}

function renamed(value: Value): Value {
  if (Array.isArray(value)) return value.map(renamed);
  return value instanceof Map ? withoutIndexNames(value) : value;
}

describe('the BSON codec', () => {
  it('decodes the top-level fields it is asked for, in their order, and no others', () => {
    fc.assert(
      fc.property(arbitraryDocument, (document) => {
        const names = new Set([...document.keys()].filter((_name, i) => i % 2 === 0));
        const expected = new Map([...document].filter(([name]) => names.has(name)));
        const found = decodeFields(encodeDocument(document), names);
        expect(valuesIdentical(found, expected)).toBe(true);
      }),
    );
  });

  it('gives back every document it encoded, and the same bytes again', () => {
    fc.assert(
      fc.property(arbitraryDocument, (document) => {
        const bytes = encodeDocument(document);
        validateBson(bytes);
        const decoded = decodeDocument(bytes);
        expect(valuesIdentical(decoded, document)).toBe(true);
        expect(Buffer.compare(encodeDocument(decoded), bytes)).toBe(0);
      }),
    );
  });

  it('writes what the bson library reads, and the other way about', () => {
    fc.assert(
      fc.property(arbitraryDocument, (document) => {
        const bytes = encodeDocument(withoutIndexNames(document));
        const read = bson.deserialize(bytes, {
          promoteValues: false,
          promoteLongs: false,
          bsonRegExp: true,
        });
        const written = bson.serialize(read, { ignoreUndefined: false });
        expect(valuesIdentical(decodeDocument(written), decodeDocument(bytes))).toBe(true);
      }),
    );
  });

  it('reads one field without the others', () => {
    fc.assert(
      fc.property(arbitraryDocument, (document) => {
        const bytes = encodeDocument(document);
        for (const [name, value] of document) {
          expect(valuesIdentical(readTopLevelField(bytes, name), value)).toBe(true);
        }
        const fields = [...rawTopLevelFields(bytes)];
        expect(fields.map((field) => field.name)).toEqual([...document.keys()]);
        for (const field of fields) {
          expect(valuesIdentical(decodeRawField(bytes, field), document.get(field.name))).toBe(
            true,
          );
        }
        expect(readTopLevelField(bytes, 'no such field')).toBeUndefined();
      }),
    );
  });

  it('refuses damaged bytes with an error of its own, never a crash', () => {
    fc.assert(
      fc.property(arbitraryDocument, fc.nat(), fc.nat(255), (document, place, byte) => {
        const bytes = Uint8Array.from(encodeDocument(document));
        bytes[place % bytes.length] = byte;
        try {
          validateBson(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.any(Number) });
          return;
        }
        decodeDocument(bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('copies raw documents as they are', () => {
    const inner = toDocument({ a: 1, b: 'x' });
    const bytes = encodeDocument(toDocument({ r: new RawDocument(encodeDocument(inner)) }));
    expect(decodeDocument(bytes)).toEqual(toDocument({ r: inner }));
  });

  it('keeps 1.0 and 1 apart, and integer-like names in order', () => {
    const document = new Map<string, bson.Double | number>([
      ['2', new Double(1)],
      ['1', 1],
    ]);
    const decoded = decodeDocument(encodeDocument(document));
    expect([...decoded.keys()]).toEqual(['2', '1']);
    expect(decoded.get('2')).toBeInstanceOf(Double);
  });

  it('refuses documents nested deeper than the limit', () => {
    let document = toDocument({});
    for (let i = 0; i < 205; i++) document = toDocument({ a: document });
    expect(() => validateBson(encodeDocument(document))).toThrow('maximum nested depth');
  });
});
