import { deflateSync, inflateSync } from 'node:zlib';
import { HEADER_BYTES, MAX_MESSAGE_BYTES, OP_COMPRESSED, WireProtocolError } from './message.ts';

const COMPRESSED_HEADER_BYTES = HEADER_BYTES + 9;
const NOOP = 0;
const ZLIB = 2;

/** The compressors hello may agree upon; snappy and zstd would need a library. */
export const SUPPORTED_COMPRESSORS: readonly string[] = ['zlib'];

/**
 * The message inside an OP_COMPRESSED, with a header as if it had come uncompressed.
 *
 * @throws WireProtocolError for an unknown compressor, a broken stream or a wrong length
 */
export function readOpCompressed(message: Buffer): Buffer {
  if (message.length < COMPRESSED_HEADER_BYTES) {
    throw new WireProtocolError('OP_COMPRESSED cut short');
  }
  const uncompressedSize = message.readInt32LE(HEADER_BYTES + 4);
  if (uncompressedSize < 0 || uncompressedSize > MAX_MESSAGE_BYTES - HEADER_BYTES) {
    throw new WireProtocolError('OP_COMPRESSED of a wrong length');
  }
  const payload = decompress(
    message[HEADER_BYTES + 8],
    message.subarray(COMPRESSED_HEADER_BYTES),
    uncompressedSize,
  );
  if (payload.length !== uncompressedSize) {
    throw new WireProtocolError('OP_COMPRESSED length does not match its content');
  }
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeInt32LE(HEADER_BYTES + uncompressedSize, 0);
  message.copy(header, 4, 4, 12);
  header.writeInt32LE(message.readInt32LE(HEADER_BYTES), 12);
  return Buffer.concat([header, payload]);
}

function decompress(compressor: number | undefined, bytes: Buffer, size: number): Buffer {
  if (compressor === NOOP) return bytes;
  if (compressor !== ZLIB) throw new WireProtocolError('OP_COMPRESSED by an unknown compressor');
  try {
    // the limit keeps a small message from unfolding into gigabytes
    return inflateSync(bytes, { maxOutputLength: Math.max(size, 1) });
  } catch {
    throw new WireProtocolError('OP_COMPRESSED content is broken');
  }
}

/** Wraps a whole message (header included) into an OP_COMPRESSED by zlib. */
export function writeOpCompressed(message: Buffer): Buffer {
  const payload = deflateSync(message.subarray(HEADER_BYTES));
  const head = Buffer.allocUnsafe(COMPRESSED_HEADER_BYTES);
  head.writeInt32LE(COMPRESSED_HEADER_BYTES + payload.length, 0);
  message.copy(head, 4, 4, 12);
  head.writeInt32LE(OP_COMPRESSED, 12);
  head.writeInt32LE(message.readInt32LE(12), HEADER_BYTES);
  head.writeInt32LE(message.length - HEADER_BYTES, HEADER_BYTES + 4);
  head[HEADER_BYTES + 8] = ZLIB;
  return Buffer.concat([head, payload]);
}
