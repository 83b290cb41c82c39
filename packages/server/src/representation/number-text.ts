/** Numbers and dates as the Java standard library prints them, which is what clients see. */

/**
 * A double as Java's `Double.toString`: at least one digit after the point, scientific notation
 * (`1.0E10`) below 10⁻³ and from 10⁷ on.
 */
export function formatDouble(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  if (!Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-3 && magnitude < 1e7) {
    const text = String(value);
    return Number.isInteger(value) ? `${text}.0` : text;
  }
  // JS prints the same shortest digits, as "1e+21", "1.5e-7"
  const text = value.toExponential();
  const split = text.indexOf('e');
  const mantissa = text.slice(0, split);
  const exponent = text.charAt(split + 1) === '+' ? text.slice(split + 2) : text.slice(split + 1);
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${exponent}`;
}

const LAST_MS_OF_YEAR_9999 = 253_402_300_799_999;

/** ISO 8601 with trailing zeros of the fraction dropped; `undefined` outside 1970–9999. */
export function formatIsoDate(epochMs: number): string | undefined {
  if (!(epochMs >= 0 && epochMs <= LAST_MS_OF_YEAR_9999)) return undefined;
  const text = new Date(epochMs).toISOString();
  const fraction = epochMs % 1000;
  if (fraction === 0) return `${text.slice(0, 19)}Z`;
  if (fraction % 100 === 0) return `${text.slice(0, 21)}Z`;
  if (fraction % 10 === 0) return `${text.slice(0, 22)}Z`;
  return text;
}

/** The shell's spelling of a date: `ISODate("…")` between the years 100 and 9999. */
export function formatShellDate(epochMs: bigint | number): string {
  const value = Number(epochMs);
  if (value >= -59_014_396_800_000 && value <= 253_399_536_000_000) {
    return `ISODate("${new Date(value).toISOString()}")`;
  }
  return `new Date(${epochMs})`;
}
