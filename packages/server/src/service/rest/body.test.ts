import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BsonDocument, Double, documentOf } from '../../model/bson.ts';
import { bodyKindOf, readContent } from './body.ts';
import { splitCurrentDate } from './current-date.ts';
import { expandDots } from './dot-notation.ts';
import { parseFieldText, parseMultipart, parseUrlencoded, toFormDocument } from './form-body.ts';
import type { MongoRequest } from './rest-request.ts';
import { toUpdateDocument } from './update-operators.ts';

async function contentOf(method: string, body: string, contentType?: string) {
  const bytes = Buffer.from(body);
  const request = {
    type: 'COLLECTION',
    method,
    http: {
      header: (name: string) => (name === 'content-type' ? contentType : undefined),
      hasBody: bytes.length > 0,
      body: async () => bytes,
    },
    content: undefined,
    isForm: false,
  } as unknown as MongoRequest;
  await readContent(request);
  return request.content;
}

describe('bodyKindOf', () => {
  it.each([
    [undefined, 'json'],
    ['application/json; charset=utf-8', 'json'],
    ['Application/HAL+json', 'json'],
    ['application/x-www-form-urlencoded', 'urlencoded'],
    ['multipart/form-data; boundary=x', 'multipart'],
  ])('takes %s for %s', (contentType, kind) => {
    expect(bodyKindOf(contentType)).toBe(kind);
  });
  it('refuses any other type', () => {
    for (const type of ['text/plain', 'text/json', 'application/xml', 'json']) {
      expect(() => bodyKindOf(type)).toThrow(expect.objectContaining({ status: 415 }));
    }
  });
});

describe('readContent', () => {
  it.each([
    ['POST', '{"a":', /^Invalid JSON\. ./],
    ['POST', '5', 'request data must be either a json object or an array, got INT32'],
    ['POST', '"x"', 'request data must be either a json object or an array, got STRING'],
    ['POST', 'null', 'request data must be either a json object or an array, got NULL'],
    [
      'PUT',
      '{"$oid":"5d9a3b1c2f4e6a0012345678"}',
      'request data must be either a json object or an array, got OBJECT_ID',
    ],
    ['POST', '[1]', 'request data must be either an json object or an array of objects'],
    ['POST', '[1,{}]', 'request data must be either an json object or an array of objects'],
    ['POST', '{"_id":[1]}', 'the type of _id in request data is not supported: ARRAY'],
    ['PATCH', '{"_id":[1]}', 'the type of _id in request data is not supported: ARRAY'],
    [
      'POST',
      '{"$set":{"a":1}}',
      'update operators (but $currentDate) cannot be used on POST and PUT requests',
    ],
    [
      'PUT',
      '[{"a":1},{"$inc":{"a":1}}]',
      'update operators (but $currentDate) cannot be used on POST and PUT requests',
    ],
  ] as const)('refuses with %s the body %s', async (method, body, message) => {
    await expect(contentOf(method, body)).rejects.toThrow(message);
  });

  it('takes blank bodies for none', async () => {
    expect(await contentOf('POST', ' \n\t ')).toBeUndefined();
    expect(await contentOf('POST', '')).toBeUndefined();
  });

  it('drops scalars after the first object of an array', async () => {
    expect(await contentOf('POST', '[{"a":1},2,{"b":1}]')).toEqual([
      documentOf({ a: 1 }),
      documentOf({ b: 1 }),
    ]);
  });

  it('expands dots on POST and PUT, not on PATCH', async () => {
    expect(await contentOf('POST', '{"a.b":1}')).toEqual(documentOf({ a: { b: 1 } }));
    expect(await contentOf('PATCH', '{"a.b":1}')).toEqual(documentOf({ 'a.b': 1 }));
  });

  it('ignores bodies of GET and DELETE', async () => {
    expect(await contentOf('DELETE', '{broken', 'text/plain')).toBeUndefined();
  });

  it('gives names such as __proto__ no meaning', async () => {
    const content = (await contentOf(
      'POST',
      '{"__proto__":{"x":1},"constructor.prototype":1}',
    )) as BsonDocument;
    expect([...content.keys()]).toEqual(['__proto__', 'constructor']);
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  it('throws nothing but its own errors', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.constantFrom('POST', 'PATCH'), async (text, method) => {
        await contentOf(method, text).catch((error: unknown) => {
          expect(error).toMatchObject({ name: 'QuorateError' });
        });
      }),
    );
  });
});

describe('expandDots', () => {
  it.each([
    [{ 'a.b': 1 }, { a: { b: 1 } }],
    [{ 'a.b': 1, 'a.c': 2 }, { a: { b: 1, c: 2 } }],
    [{ 'arr.0.z': 3 }, { arr: [{ z: 3 }] }],
    [{ 'arr.2': 1 }, { arr: [null, null, 1] }],
    [{ a: { 'b.c': 1 } }, { a: { 'b.c': 1 } }],
    [{ 'a.b': [{ 'x.y': 1 }] }, { a: { b: [{ x: { y: 1 } }] } }],
    [{ a: [{ 'x.y': 1 }] }, { a: [{ 'x.y': 1 }] }],
    [{ '0.a': 1 }, { 0: { a: 1 } }],
    [{ 'a.': 1 }, { a: 1 }],
    [{ '.': 1 }, { '.': 1 }],
  ])('turns %j into %j', (input, expected) => {
    expect(expandDots(documentOf(input))).toEqual(documentOf(expected));
  });

  it('refuses an index that would fill memory', () => {
    expect(() => expandDots(new Map([['a.999999999', 1]]))).toThrow(/array index/);
    expect(() => expandDots(new Map([[`a${'.a'.repeat(500)}`, 1]]))).toThrow(/parts/);
  });
});

describe('splitCurrentDate', () => {
  it('sets dates and timestamps after the other fields', () => {
    const { document, dates } = splitCurrentDate(
      documentOf({
        $currentDate: { d: true, e: { $type: 'date' }, t: { $type: 'timestamp' } },
        a: 1,
      }),
      5000,
    );
    expect(document).toEqual(documentOf({ a: 1 }));
    expect(dates?.get('d')).toEqual(new Date(5000));
    expect(dates?.get('e')).toEqual(new Date(5000));
    expect(dates?.get('t')).toMatchObject({ t: 5, i: 1 });
  });
  it.each([[1], [{ d: 1 }], [{ d: { $type: 'x' } }], [{ d: {} }]])('refuses %j', (operator) => {
    expect(() => splitCurrentDate(documentOf({ $currentDate: operator }), 0)).toThrow(
      'wrong $currentDate operator',
    );
  });
});

describe('forms', () => {
  it.each([
    ['1', 1],
    ['1.0', new Double(1)],
    ['true', true],
    ['"1"', '1'],
    ["'a, b]'", 'a, b]'],
    ['{"a":1}', documentOf({ a: 1 })],
    ['[1,2]', [1, 2]],
    ['', ''],
    ['  ', '  '],
    ['hello', 'hello'],
    ['hello world', 'hello world'],
    ['1 apple', '1 apple'],
    ['2020-01-01', '2020-01-01'],
    ['a,b', 'a,b'],
    ['null', null],
  ])('reads the field %j as %j', (text, expected) => {
    expect(parseFieldText(text)).toEqual(expected);
  });

  it('refuses broken JSON that begins as an object or array', () => {
    expect(() => parseFieldText('{a')).toThrow(/^Invalid JSON\. /);
    expect(() => parseFieldText('[1')).toThrow(/^Invalid JSON\. /);
  });

  it('takes the first value of a repeated field and keeps the order', () => {
    const fields = parseUrlencoded(Buffer.from('b=1&a=x+y&b=2&%24inc={"n":1}'));
    expect([...toFormDocument(fields)]).toEqual([
      ['b', 1],
      ['a', 'x y'],
      ['$inc', documentOf({ n: 1 })],
    ]);
  });

  it('takes multipart parts without file name as fields, whatever their type', async () => {
    const body = [
      '--B',
      'content-disposition: form-data; name="a"',
      'Content-Type: application/octet-stream',
      '',
      '1',
      '--B',
      'CONTENT-DISPOSITION: form-data; name="f"; filename="x.bin"',
      '',
      'ignored',
      '--B',
      'Content-Disposition: form-data; name="b"',
      'Content-Type: application/json',
      '',
      '{"x":1}',
      '--B--',
      '',
    ].join('\r\n');
    const fields = await parseMultipart(Buffer.from(body), 'multipart/form-data; boundary=B');
    expect(fields).toEqual([
      { name: 'a', text: '1' },
      { name: 'b', text: '{"x":1}' },
    ]);
  });

  it('refuses a multipart body without boundary or end', async () => {
    await expect(parseMultipart(Buffer.from('x'), 'multipart/form-data')).rejects.toMatchObject({
      status: 400,
    });
    await expect(
      parseMultipart(Buffer.from('--B\r\nbroken'), 'multipart/form-data; boundary=B'),
    ).rejects.toMatchObject({ status: 400 });
  });
});

describe('toUpdateDocument', () => {
  it('keeps operators and sets all other names', () => {
    const body = documentOf({
      qty: 1,
      $inc: { n: 1 },
      $unset: { old: '' },
      $foo: 2,
      $set: { z: 1 },
    });
    expect(toUpdateDocument(body)).toEqual(
      documentOf({ $inc: { n: 1 }, $unset: { old: '' }, $set: { qty: 1, $foo: 2, z: 1 } }),
    );
  });
});
