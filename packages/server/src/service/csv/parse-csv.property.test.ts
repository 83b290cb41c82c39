import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CsvOptions, parseCsv } from './parse-csv.ts';

const options = (separator: string): CsvOptions => ({
  separator,
  idColumn: undefined,
  additions: new Map(),
});

/** Texts that a cell shows as they are: no JSON, no quotes, no separator, no line end. */
const plain = fc
  .string({ minLength: 1, maxLength: 8 })
  .filter((text) => !/["\\,\n\r\uFEFF{[]/.test(text))
  .map((text) => `x${text}x`);

describe('parseCsv', () => {
  it('gives back the cells that were joined', () => {
    const table = fc
      .integer({ min: 1, max: 5 })
      .chain((width) => fc.array(fc.array(plain, { minLength: width, maxLength: width })));
    fc.assert(
      fc.property(table, (rows) => {
        const width = rows[0]?.length ?? 1;
        const names = Array.from({ length: width }, (_, index) => `c${index}`);
        const text = [names, ...rows].map((row) => row.join(',')).join('\n');
        const read = [...parseCsv(text, options(','))].map((document) => [...document.values()]);
        expect(read).toEqual(rows);
      }),
    );
  });

  it('takes any text and any separator, or refuses the separator', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ maxLength: 4 }), (text, separator) => {
        let rows: ReturnType<typeof parseCsv>;
        try {
          rows = parseCsv(text, options(separator));
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          return;
        }
        for (const row of rows) expect(row).toBeInstanceOf(Map);
      }),
    );
  });

  it('splits alike by a text and by an expression for it', () => {
    const lines = fc.array(fc.constantFrom('a', ',', '"', '\\', ' ', '1'), { maxLength: 40 });
    fc.assert(
      fc.property(lines, (pieces) => {
        const text = `h\n${pieces.join('')}`;
        expect([...parseCsv(text, options('[,]'))]).toEqual([...parseCsv(text, options(','))]);
      }),
    );
  });

  it('reads each character of a long quoted line once', () => {
    // as many separators as characters: looking back from each of them would take hours
    const [row] = parseCsv(`h\n"${','.repeat(2_000_000)}`, options(','));
    expect(row?.size).toBe(1);
  });
});
