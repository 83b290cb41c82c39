/** Whatever a client sends, parsers of the service answer with a value or with an error of our own. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BsonDocument, isDocument } from '../../model/bson.ts';
import { splitCurrentDate } from './current-date.ts';
import { expandDots } from './dot-notation.ts';
import { parseFieldText, parseMultipart, parseUrlencoded, toFormDocument } from './form-body.ts';
import { toHeaderText } from './location.ts';
import { createMountTable, splitPath } from './mounts.ts';
import { readSort } from './order-parameters.ts';
import { checkNames } from './resource-names.ts';
import { toResourceType } from './resource-type.ts';
import { toUpdateDocument } from './update-operators.ts';

/** The value of `run`; fails for errors that are not ours. */
function ours<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    expect(error).toMatchObject({ name: 'QuorateError' });
    return undefined;
  }
}

const names = fc.oneof(
  fc.string(),
  fc.constantFrom(
    'a.b',
    'a.0',
    '.',
    '..',
    'a.',
    '.a',
    '$set',
    '$',
    '__proto__',
    '_id',
    'a.b.c.1.d',
  ),
);
const documents: fc.Arbitrary<BsonDocument> = fc
  .array(fc.tuple(names, fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null))))
  .map((entries) => new Map(entries));
const paths = fc
  .array(
    fc.oneof(fc.string(), fc.constantFrom('db', 'c', '_size', '_meta', '*', '%2F', '%', 'b.files')),
  )
  .map((parts) => `/${parts.join('/')}`);

describe('paths', () => {
  it('always have a type and a judgement of their names', () => {
    const mounts = createMountTable('/', [{ what: '*', where: '/' }]);
    fc.assert(
      fc.property(paths, (path) => {
        ours(() => {
          const tokens = mounts(splitPath(path), 'host')?.tokens ?? [];
          checkNames({ type: toResourceType(tokens), tokens });
        });
      }),
    );
  });

  it('under any mount and host name a mongo path or none', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), paths, (what, where, host, path) => {
        ours(() => createMountTable('/', [{ what, where: `/${where}` }])(splitPath(path), host));
      }),
    );
  });
});

describe('bodies', () => {
  it('are expanded to documents without dots at the top, but for names of dots alone', () => {
    fc.assert(
      fc.property(documents, (document) => {
        const expanded = ours(() => expandDots(document));
        for (const name of expanded?.keys() ?? []) expect(name).toMatch(/^(\.+|[^.]*)$/);
      }),
    );
  });

  it('split into update operators and what is set', () => {
    fc.assert(
      fc.property(documents, (document) => {
        for (const name of toUpdateDocument(document).keys()) expect(name).toMatch(/^\$/);
        ours(() => splitCurrentDate(document, 0));
      }),
    );
  });

  it('in forms become documents', async () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        ours(() => parseFieldText(text));
        ours(() => toFormDocument(parseUrlencoded(Buffer.from(text))));
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (body, boundary) => {
        const bytes = Buffer.from(`--${boundary}\r\n${body}\r\n--${boundary}--\r\n`);
        await parseMultipart(bytes, `multipart/form-data; boundary=${boundary}`).catch(
          (error: unknown) => expect(error).toMatchObject({ name: 'QuorateError' }),
        );
      }),
    );
  });
});

describe('other texts', () => {
  it('sort by a document', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (items) => {
        const sort = ours(() => readSort(items));
        expect(sort === undefined || isDocument(sort)).toBe(true);
      }),
    );
  });

  it('in headers hold nothing that HTTP forbids there', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(toHeaderText(text)).toMatch(/^[\u0020-\u007e]*$/);
      }),
    );
  });
});
