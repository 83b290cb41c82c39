/** Preferred number series that `$bucketAuto` rounds its boundaries to. */
import { toDouble, type Value } from '../../bson/value.ts';
import { isNumeric, toJsNumber } from '../expression/value-kind.ts';

const R5 = [10, 16, 25, 40, 63];
const R10 = [100, 125, 160, 200, 250, 315, 400, 500, 630, 800];
const R20 = [
  100, 112, 125, 140, 160, 180, 200, 224, 250, 280, 315, 355, 400, 450, 500, 560, 630, 710, 800,
  900,
];
const R40 = [
  100, 106, 112, 118, 125, 132, 140, 150, 160, 170, 180, 190, 200, 212, 224, 236, 250, 265, 280,
  300, 315, 335, 355, 375, 400, 425, 450, 475, 500, 530, 560, 600, 630, 670, 710, 750, 800, 850,
  900, 950,
];
const R80 = [
  103, 109, 115, 122, 128, 136, 145, 155, 165, 175, 185, 195, 206, 218, 230, 243, 258, 272, 290,
  307, 325, 345, 365, 387, 412, 437, 462, 487, 515, 545, 575, 615, 650, 690, 730, 775, 825, 875,
  925, 975,
];
const E6 = [10, 15, 22, 33, 47, 68];
const E12 = [10, 12, 15, 18, 22, 27, 33, 39, 47, 56, 68, 82];
const E24 = [
  10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91,
];
const E48 = [
  100, 105, 110, 115, 121, 127, 133, 140, 147, 154, 162, 169, 178, 187, 196, 205, 215, 226, 237,
  249, 261, 274, 287, 301, 316, 332, 348, 365, 383, 402, 422, 442, 464, 487, 511, 536, 562, 590,
  619, 649, 681, 715, 750, 787, 825, 866, 909, 953,
];
const E96 = [
  100, 102, 105, 107, 110, 113, 115, 118, 121, 124, 127, 130, 133, 137, 140, 143, 147, 150, 154,
  158, 162, 165, 169, 174, 178, 182, 187, 191, 196, 200, 205, 210, 215, 221, 226, 232, 237, 243,
  249, 255, 261, 267, 274, 280, 287, 294, 301, 309, 316, 324, 332, 340, 348, 357, 365, 374, 383,
  392, 402, 412, 422, 432, 442, 453, 464, 475, 487, 499, 511, 523, 536, 549, 562, 576, 590, 604,
  619, 634, 649, 665, 681, 698, 715, 732, 750, 768, 787, 806, 825, 845, 866, 887, 909, 931, 953,
  976,
];
const SERIES_1_2_5 = [10, 20, 50];

const SERIES: Readonly<Record<string, readonly number[]>> = {
  R5,
  R10,
  R20,
  R40,
  R80: [...R40, ...R80].sort((a, b) => a - b),
  E6,
  E12,
  E24,
  E48,
  E96,
  E192: e192(),
  '1-2-5': SERIES_1_2_5,
};

/** E192 is given by its formula, save one value the standard rounds up by hand. */
function e192(): readonly number[] {
  return Array.from({ length: 192 }, (_, i) => {
    const value = Math.round(100 * 10 ** (i / 192));
    return value === 919 ? 920 : value;
  });
}

export type Granularity = string & { readonly granularity: true };

export function isGranularity(name: string): name is Granularity {
  return name === 'POWERSOF2' || Object.hasOwn(SERIES, name);
}

/** The least number of the series above `value`. */
export function roundUpTo(granularity: Granularity, value: Value): Value {
  const number = isNumeric(value) ? toJsNumber(value) : 0;
  if (number === 0) return value;
  if (granularity === 'POWERSOF2') return toDouble(2 ** (Math.floor(Math.log2(number)) + 1));
  return toDouble(
    neighbours(granularity, number).find((candidate) => candidate > number) ?? number,
  );
}

/** The greatest number of the series below `value`. */
export function roundDownTo(granularity: Granularity, value: Value): Value {
  const number = isNumeric(value) ? toJsNumber(value) : 0;
  if (number === 0) return value;
  if (granularity === 'POWERSOF2') return toDouble(2 ** (Math.ceil(Math.log2(number)) - 1));
  return toDouble(
    neighbours(granularity, number).findLast((candidate) => candidate < number) ?? number,
  );
}

/** The series over the decades around a number, ascending. */
function neighbours(granularity: Granularity, number: number): number[] {
  const series = SERIES[granularity] as readonly number[];
  const digits = String(series[0]).length - 1;
  const decade = Math.floor(Math.log10(number));
  return [-1, 0, 1].flatMap((step) =>
    series.map((base) => {
      const exponent = decade + step - digits;
      return exponent >= 0 ? base * 10 ** exponent : base / 10 ** -exponent;
    }),
  );
}
