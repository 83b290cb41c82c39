import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryNumber } from '../../test/support/arbitrary-values.ts';
import { isNumeric, valuesEqual } from './compare.ts';
import { parseDecimal } from './decimal-math.ts';
import {
  addNumbers,
  addWithin64,
  divideNumbers,
  moduloNumbers,
  multiplyNumbers,
  numericType,
  roundNumber,
  subtractNumbers,
  toExactInt64,
} from './numeric.ts';
import { Decimal128, Double } from './value.ts';

const decimal = (text: string) => Decimal128.fromString(text);

describe('typed arithmetic', () => {
  it('keeps whole numbers whole while they fit', () => {
    expect(addNumbers(1, 2)).toBe(3);
    expect(addNumbers(2147483647, 1)).toBe(2147483648n);
    expect(addNumbers(1, 2n)).toBe(3n);
    expect(addNumbers(9223372036854775807n, 1)).toBe(2 ** 63);
    expect(addWithin64(9223372036854775807n, 1)).toBeUndefined();
    expect(multiplyNumbers(65536, 65536)).toBe(4294967296n);
    expect(multiplyNumbers(0, -5)).toBe(0);
    expect(addNumbers(1, new Double(2))).toEqual(new Double(3));
    expect(divideNumbers(6, 3)).toEqual(new Double(2));
    expect(moduloNumbers(-7, 3)).toBe(-1);
    expect(moduloNumbers(-6, 3)).toBe(0);
  });

  it('keeps the trailing zeros of decimals', () => {
    expect(addNumbers(decimal('1.10'), decimal('2.20'))).toEqual(decimal('3.30'));
    expect(multiplyNumbers(decimal('1.20'), 2)).toEqual(decimal('2.40'));
    expect(divideNumbers(decimal('1'), 3)).toEqual(decimal('0.3333333333333333333333333333333333'));
    expect(divideNumbers(decimal('6.0'), decimal('2'))).toEqual(decimal('3.0'));
    expect(addNumbers(decimal('0.1'), 0.2)).toEqual(decimal('0.300000000000000'));
    expect(moduloNumbers(decimal('5.5'), 2)).toEqual(decimal('1.5'));
  });

  it('adds, and takes away again what it added, exactly for whole numbers', () => {
    fc.assert(
      fc.property(arbitraryNumber, arbitraryNumber, (a, b) => {
        if (!isNumeric(a) || !isNumeric(b)) return;
        expect(valuesEqual(addNumbers(a, b), addNumbers(b, a))).toBe(true);
        const sum = addWithin64(a, b);
        if (sum === undefined || numericType(sum) === 'double') return;
        if (numericType(sum) === 'decimal') return;
        expect(valuesEqual(subtractNumbers(sum, b), a)).toBe(true);
      }),
    );
  });

  it('rounds half to even', () => {
    expect(roundNumber(2.5, 0, 'half-even')).toEqual(new Double(2));
    expect(roundNumber(3.5, 0, 'half-even')).toEqual(new Double(4));
    expect(roundNumber(1234, -2, 'half-even')).toBe(1200);
    expect(roundNumber(-1.25, 1, 'trunc')).toBe(-1.2);
    expect(roundNumber(-1.25, 0, 'floor')).toEqual(new Double(-2));
    expect(roundNumber(decimal('2.675'), 2, 'half-even')).toEqual(decimal('2.68'));
  });

  it('reads numerals as decimals', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 33n), max: 10n ** 33n }),
        fc.integer({ min: -6000, max: 6000 }),
        (digits, exponent) => {
          const text = `${digits}E${exponent}`;
          expect(parseDecimal(text)?.toString()).toBe(decimal(text).toString());
        },
      ),
    );
    expect(parseDecimal('1e')).toBeUndefined();
    expect(parseDecimal('.')).toBeUndefined();
    expect(toExactInt64(decimal('12.00'))).toBe(12n);
    expect(toExactInt64(12.5)).toBeUndefined();
  });
});
