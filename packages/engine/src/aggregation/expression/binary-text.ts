/** BinData as text and back, by the formats of `$convert`. */
import { Binary } from '../../bson/value.ts';

export const BINARY_FORMATS: ReadonlySet<string> = new Set([
  'base64',
  'base64url',
  'hex',
  'utf8',
  'uuid',
  'auto',
]);

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function formatUuid(hex: string): string {
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}

/** Undefined when the binary cannot be written in that format. */
export function binaryToText(binary: Binary, format: string): string | undefined {
  const bytes = Buffer.from(binary.buffer.subarray(0, binary.position));
  const isUuid = binary.sub_type === Binary.SUBTYPE_UUID && bytes.length === 16;
  switch (format) {
    case 'uuid':
      return isUuid ? formatUuid(bytes.toString('hex')) : undefined;
    case 'hex':
    case 'base64':
    case 'base64url':
      return bytes.toString(format);
    case 'utf8': {
      const text = bytes.toString('utf8');
      return Buffer.from(text).equals(bytes) ? text : undefined;
    }
    default:
      return isUuid ? formatUuid(bytes.toString('hex')) : bytes.toString('base64');
  }
}

/** Undefined when the text is not in that format. */
export function textToBinary(text: string, format: string, subtype: number): Binary | undefined {
  if (format === 'uuid' || (format === 'auto' && subtype === Binary.SUBTYPE_UUID)) {
    if (!UUID.test(text) || subtype !== Binary.SUBTYPE_UUID) return undefined;
    return new Binary(Buffer.from(text.replaceAll('-', ''), 'hex'), subtype);
  }
  switch (format) {
    case 'hex':
      return /^([0-9a-f]{2})*$/i.test(text)
        ? new Binary(Buffer.from(text, 'hex'), subtype)
        : undefined;
    case 'utf8':
      return new Binary(Buffer.from(text, 'utf8'), subtype);
    case 'base64url':
      return /^[\w-]*={0,2}$/.test(text)
        ? new Binary(Buffer.from(text, 'base64url'), subtype)
        : undefined;
    default:
      return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0
        ? new Binary(Buffer.from(text, 'base64'), subtype)
        : undefined;
  }
}
