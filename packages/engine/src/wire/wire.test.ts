import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from './crc32c.ts';
import { WireProtocolError } from './message.ts';
import { MessageFramer } from './message-framer.ts';
import { writeOpCompressed } from './op-compressed.ts';
import { readOpMsg, writeOpMsg } from './op-msg.ts';
import { readMessage } from './read-message.ts';

/** A structurally plausible BSON document: a length prefix, some bytes, a zero. */
const bson = fc.uint8Array({ maxLength: 60 }).map((content) => {
  const bytes = Buffer.alloc(content.length + 5);
  bytes.writeInt32LE(bytes.length, 0);
  bytes.set(content, 4);
  return bytes;
});
const name = fc.string({ minLength: 1, maxLength: 10 }).filter((text) => !text.includes('\0'));
const message = fc.record({
  requestId: fc.integer(),
  responseTo: fc.integer(),
  moreToCome: fc.boolean(),
  exhaustAllowed: fc.boolean(),
  checksum: fc.boolean(),
  body: bson,
  sequences: fc
    .uniqueArray(fc.tuple(name, fc.array(bson, { maxLength: 4 })), { selector: ([key]) => key })
    .map((entries) => new Map(entries)),
});

describe('OP_MSG', () => {
  it('reads what it has written', () => {
    fc.assert(
      fc.property(message, (fields) => {
        const read = readOpMsg(writeOpMsg(fields));
        expect(read.requestId).toBe(fields.requestId);
        expect(read.responseTo).toBe(fields.responseTo);
        expect(read.moreToCome).toBe(fields.moreToCome);
        expect(read.exhaustAllowed).toBe(fields.exhaustAllowed);
        expect(Buffer.compare(read.body, fields.body)).toBe(0);
        expect([...read.sequences.keys()]).toEqual([...fields.sequences.keys()]);
        for (const [key, documents] of fields.sequences) {
          expect(Buffer.concat([...(read.sequences.get(key) ?? [])])).toEqual(
            Buffer.concat(documents),
          );
        }
      }),
    );
  });

  it('survives compression by zlib', () => {
    fc.assert(
      fc.property(message, (fields) => {
        const plain = writeOpMsg(fields);
        const { request, compressed } = readMessage(writeOpCompressed(plain));
        expect(compressed).toBe(true);
        expect(request).toEqual(readOpMsg(plain));
      }),
    );
  });

  it('answers any damaged message with a protocol error and nothing else', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.nat(255), fc.nat(40), (fields, at, byte, cut) => {
        const bytes = Buffer.from(writeOpMsg(fields));
        bytes[16 + (at % (bytes.length - 16))] = byte;
        const damaged = bytes.subarray(0, Math.max(16, bytes.length - cut));
        try {
          readMessage(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(WireProtocolError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('refuses a checksum that does not match', () => {
    const bytes = writeOpMsg({
      requestId: 1,
      responseTo: 0,
      checksum: true,
      body: Buffer.from([5, 0, 0, 0, 0]),
    });
    bytes[4] = 2;
    expect(() => readOpMsg(bytes)).toThrow(/checksum/);
  });

  it('computes the check value of CRC-32C', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });
});

describe('MessageFramer', () => {
  it('cuts a stream into the same messages however it is chopped', () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1 }),
        (fields, cuts) => {
          const messages = fields.map(writeOpMsg);
          const stream = Buffer.concat(messages);
          const framer = new MessageFramer();
          const seen: Buffer[] = [];
          for (let offset = 0, turn = 0; offset < stream.length; turn++) {
            const size = cuts[turn % cuts.length] ?? 1;
            seen.push(...framer.push(stream.subarray(offset, offset + size)));
            offset += size;
          }
          expect(seen.map((bytes) => bytes.toString('hex'))).toEqual(
            messages.map((bytes) => bytes.toString('hex')),
          );
          expect(framer.bufferedBytes).toBe(0);
        },
      ),
    );
  });

  it.each([0, 15, -1, 48_000_001])('refuses a length prefix of %i', (size) => {
    const head = Buffer.alloc(16);
    head.writeInt32LE(size, 0);
    expect(() => new MessageFramer().push(head)).toThrow(WireProtocolError);
  });
});
