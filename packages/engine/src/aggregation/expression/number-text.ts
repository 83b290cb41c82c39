/** Numbers as `$toString` and string operators write them. */
import { Decimal128, Double } from '../../bson/value.ts';
import type { NumericValue } from './value-kind.ts';

export function formatNumber(value: NumericValue): string {
  if (value instanceof Decimal128) return value.toString();
  if (typeof value === 'bigint') return String(value);
  const number = value instanceof Double ? value.value : value;
  if (Number.isNaN(number)) return 'NaN';
  if (!Number.isFinite(number)) return number > 0 ? 'Infinity' : '-Infinity';
  if (Object.is(number, -0)) return '-0';
  return String(number).replace(/e([+-])(\d)$/, 'e$10$2');
}
