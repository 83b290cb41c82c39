import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { type Readable, Transform } from 'node:stream';
import { QuorateError } from '../errors/quorate-error.ts';

/** Limits on bodies; -1 bytes is unlimited. */
export interface BodyLimits {
  readonly maxBodyBytes: number;
  readonly maxMultipartBytes: number;
  /** Longest silence within a body. */
  readonly bodyIdleTimeoutMs: number;
}

// an "unlimited" body is still one Buffer in memory: the process protects itself
const HARD_LIMIT_BYTES = 512 * 1024 * 1024;
// after this time a body must have averaged MIN_BYTES_PER_SECOND, against clients that drip bytes
const DRIP_GRACE_MS = 60_000;
const MIN_BYTES_PER_SECOND = 200;

export const EMPTY_BODY: Buffer = Buffer.alloc(0);

/** A positive `Content-Length`, or a transfer coding; in HTTP/2 a stream that its headers do not end (RFC 9113 §8.1). */
export function hasBody(message: IncomingMessage): boolean {
  const length = message.headers['content-length'];
  if (length !== undefined) return length !== '0';
  if (message.httpVersionMajor >= 2) {
    return !(message as unknown as Http2ServerRequest).stream.endAfterHeaders;
  }
  return message.headers['transfer-encoding'] !== undefined;
}

/**
 * Reads the whole body; `sendContinue` is called once it is clear that the body is wanted.
 *
 * @throws ERR_REQUEST_TOO_LARGE before the first byte when the announced length is over the limit, else when it passes it;
 * ERR_REQUEST_TIMEOUT when the client is too slow; ERR_REQUEST_ABORTED when it goes away
 */
export function readBody(
  message: IncomingMessage,
  limits: BodyLimits,
  sendContinue: () => void,
): Promise<Buffer> {
  const limit = effectiveLimit(limits.maxBodyBytes);
  const announced = Number(message.headers['content-length'] ?? -1);
  if (announced > limit) return Promise.reject(tooLarge(limit));
  sendContinue();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const startedAtMs = Date.now();
    let length = 0;
    let lastByteAtMs = startedAtMs;
    let timer: NodeJS.Timeout | undefined;
    let settled = false;
    const finish = (): void => {
      settled = true;
      clearInterval(timer);
      message.off('data', onData);
      message.off('end', onEnd);
      message.off('close', onClose);
      message.off('error', onClose);
    };
    const fail = (error: QuorateError): void => {
      finish();
      // what still comes is read and dropped, so that the client gets to see the reply
      message.on('error', ignore);
      message.resume();
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > limit) fail(tooLarge(limit));
      else chunks.push(chunk);
      if (timer !== undefined) lastByteAtMs = Date.now();
    };
    const onEnd = (): void => {
      finish();
      const [first] = chunks;
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length));
    };
    const onClose = (): void => {
      finish();
      reject(new QuorateError('ERR_REQUEST_ABORTED'));
    };
    message.on('data', onData);
    message.on('end', onEnd);
    message.on('close', onClose);
    message.on('error', onClose);
    // a body that came with its headers ends in this turn: only the others need a watch
    setImmediate(() => {
      if (settled) return;
      const periodMs = Math.max(50, Math.min(1000, limits.bodyIdleTimeoutMs / 4));
      timer = setInterval(() => {
        const now = Date.now();
        const silent = now - lastByteAtMs > limits.bodyIdleTimeoutMs;
        if (silent || isDripping(now - startedAtMs, length)) fail(tooSlow());
      }, periodMs);
      timer.unref();
    });
  });
}

function ignore(): void {
  // the reply is already decided
}

/** The body as a stream that fails past `maxMultipartBytes`, when silent for too long, or when dripping. */
export function streamBody(
  message: IncomingMessage,
  limits: BodyLimits,
  sendContinue: () => void,
): Readable {
  const limit = limits.maxMultipartBytes < 0 ? Number.POSITIVE_INFINITY : limits.maxMultipartBytes;
  const announced = Number(message.headers['content-length'] ?? -1);
  let length = 0;
  const startedAtMs = Date.now();
  let lastByteAtMs = startedAtMs;
  const guarded = new Transform({
    transform(chunk: Buffer, _encoding, done): void {
      length += chunk.length;
      lastByteAtMs = Date.now();
      if (length > limit) done(tooLarge(limit));
      else done(null, chunk);
    },
  });
  const timer = setInterval(() => {
    const now = Date.now();
    // a full buffer means that our own side is slow, not the client
    if (guarded.writableNeedDrain) lastByteAtMs = now;
    else if (now - lastByteAtMs > limits.bodyIdleTimeoutMs || isDripping(now - startedAtMs, length))
      guarded.destroy(tooSlow());
  }, 1000);
  timer.unref();
  message.on('end', () => clearInterval(timer));
  message.on('close', () => {
    clearInterval(timer);
    if (!message.complete) guarded.destroy(new QuorateError('ERR_REQUEST_ABORTED'));
  });
  guarded.on('close', () => {
    clearInterval(timer);
    message.unpipe(guarded);
    message.resume();
  });
  if (announced > limit) process.nextTick(() => guarded.destroy(tooLarge(limit)));
  else {
    sendContinue();
    message.pipe(guarded);
  }
  return guarded;
}

function effectiveLimit(maxBytes: number): number {
  return maxBytes < 0 ? HARD_LIMIT_BYTES : Math.min(maxBytes, HARD_LIMIT_BYTES);
}

function isDripping(elapsedMs: number, length: number): boolean {
  return elapsedMs > DRIP_GRACE_MS && length < (elapsedMs / 1000) * MIN_BYTES_PER_SECOND;
}

function tooLarge(limit: number): QuorateError {
  return new QuorateError('ERR_REQUEST_TOO_LARGE', {
    message: `The request body is larger than the limit of ${limit} bytes`,
  });
}

function tooSlow(): QuorateError {
  return new QuorateError('ERR_REQUEST_TIMEOUT', {
    message: 'The request body did not arrive in time',
    headers: [['Connection', 'close']],
  });
}
