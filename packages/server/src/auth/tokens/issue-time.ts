/**
 * Token ids that tell the millisecond of issue: UUIDs of version 7 (RFC 9562 §5.7). The reference's
 * tokens carry no `iat`, and whole seconds could not tell an account from the one it replaced.
 */
import { randomBytes } from 'node:crypto';

/** A new id for a token issued at the given time. */
export function createTokenId(atMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(atMs, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}

/** When the token of this id was issued; undefined for other ids. */
export function issueTimeOf(id: unknown): number | undefined {
  if (typeof id !== 'string' || !/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/.test(id)) {
    return undefined;
  }
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
