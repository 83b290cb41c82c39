import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documentOf } from '../../model/bson.ts';
import type { QueryParameters } from '../../model/http-request.ts';
import { readSort } from './order-parameters.ts';
import { type ParameterReading, readParameters } from './read-parameters.ts';
import { DEFAULT_REST_CONFIG } from './rest-config.ts';

/** A query over `URLSearchParams`, which decodes as `http/` does for well-formed text. */
function queryOf(text: string): QueryParameters {
  const parsed = new URLSearchParams(text);
  return {
    get: (name) => parsed.get(name) ?? undefined,
    getAll: (name) => parsed.getAll(name),
    has: (name) => parsed.has(name),
    names: () => [...new Set(parsed.keys())],
    size: parsed.size,
  };
}

function read(text: string, filterMandatory = false): ParameterReading {
  return readParameters(queryOf(text), {
    config: DEFAULT_REST_CONFIG,
    filterMandatory,
    nameError: undefined,
    checkId: () => undefined,
  });
}

describe('readParameters refuses', () => {
  it.each([
    ['page=', 'illegal page parameter, it is not a number'],
    ['page=1.5', 'illegal page parameter, it is not a number'],
    ['page=2147483648', 'illegal page parameter, it is not a number'],
    ['page=0', 'illegal page parameter, it is < 1'],
    ['pagesize=x', 'illegal pagesize parameter, it is not a number'],
    ['pagesize=-1', 'illegal pagesize parameter, pagesize must be >= 0 and <= 1000'],
    ['pagesize=1001', 'illegal pagesize parameter, pagesize must be >= 0 and <= 1000'],
    ['page=0&pagesize=x', 'illegal pagesize parameter, it is not a number'],
    ['sort_by=', 'Illegal sort parameter'],
    ['sort=', 'Illegal sort parameter'],
    ['hint=', 'illegal hint parameter'],
    ['keys=', 'illegal keys parameter (empty)'],
    ['keys=1', 'illegal keys parameter, it is not a json object: 1 => String'],
    ['keys={', 'illegal keys parameter: {'],
    ['filter=', 'illegal filter parameter (empty)'],
    ['filter=[1]', 'illegal filter parameter, it is not a json object: [1] => String'],
    ['filter={}', 'illegal filter parameter (empty json object)'],
    ['avars=', 'illegal avars parameter, it is not a json object: '],
    ['avars=1', 'illegal avars parameter, it is not a json object: 1'],
    ['avars={"a":{"$gt":1}}', 'illegal avars parameter: {"a":{"$gt":1}}'],
    [
      'id_type=INT',
      'illegal id_type parameter; must be [OID, STRING_OID, STRING, NUMBER, DATE, MINKEY, MAXKEY, NULL, BOOLEAN]',
    ],
    ['hal=x', 'illegal hal parameter; valid values are [FULL, F, COMPACT, C]'],
    ['shardkey=', 'illegal shardkey parameter (empty)'],
    ['shardkey={}', 'illegal shardkey parameter (empty json object)'],
    ['shardkey={a', 'illegal shardkey parameter: {a'],
  ])('%s', (query, message) => {
    const { error } = read(query);
    expect(error?.status).toBe(400);
    expect(error?.message).toBe(message);
  });

  it('names the parser text and the Java exception of a broken filter', () => {
    const { error } = read('filter={"a":');
    expect(error?.message).toMatch(/^illegal filter parameter: \{"a":, ./);
    expect(error?.exception).toBe('org.bson.json.JsonParseException');
    expect(error?.exceptionMessage).toBe('invalid json');
  });

  it('names the value that is no number', () => {
    expect(read('page=abc').error).toMatchObject({
      exception: 'java.lang.NumberFormatException',
      exceptionMessage: "For input string: 'abc'",
    });
  });

  it('a bulk request without filter', () => {
    expect(read('np', true).error?.message).toBe(
      'filter parameter is mandatory for bulk write requests',
    );
  });
});

describe('readParameters reads', () => {
  it('presence parameters whatever their value', () => {
    const { parameters } = read('np=false&cache=0&nocache&checkEtag=no&count=false');
    expect(parameters).toMatchObject({
      noProperties: true,
      cache: true,
      noCache: true,
      checkEtag: true,
      count: 'exact',
    });
  });

  it('several filters joined by $and', () => {
    const { parameters } = read('filter={"a":1}&filter={"b":2}');
    expect(parameters.filter).toEqual(documentOf({ $and: [{ a: 1 }, { b: 2 }] }));
  });

  it('several keys merged, the later wins', () => {
    const { parameters } = read('keys={"a":1,"b":1}&keys={"a":0}');
    expect(parameters.projection).toEqual(documentOf({ a: 0, b: 1 }));
  });

  it('hints as key pattern, signs or index name', () => {
    expect(read('hint=-a').parameters.hint).toEqual(documentOf({ a: -1 }));
    expect(read('hint=%2Ba').parameters.hint).toEqual(documentOf({ a: 1 }));
    expect(read('hint={"$natural":1}').parameters.hint).toEqual(documentOf({ $natural: 1 }));
    expect(read('hint=a_1').parameters.hint).toBe('a_1');
  });

  it('the long name of the write mode first, and ignores unknown modes', () => {
    expect(read('wm=insert&writeMode=UPSERT').parameters.writeMode).toBe('upsert');
    expect(read('wm=foo').parameters.writeMode).toBeUndefined();
  });

  it('an empty id_type as none', () => {
    expect(read('id_type=').error).toBeUndefined();
  });

  it('an unknown rep as the default, with a warning', () => {
    const { parameters, warnings } = read('rep=xml');
    expect(parameters.representation).toBe('STANDARD');
    expect(warnings).toEqual([
      'illegal rep parameter xml (must be STANDARD, NESTED or HAL; S is an alias for STANDARD; PLAIN_JSON, PJ are aliases for NESTED)',
    ]);
  });

  it('warns of a sort on properties that do not exist', () => {
    expect(read('sort=-_created_on').warnings).toHaveLength(1);
  });

  it('any text without throwing', () => {
    const names = ['page', 'pagesize', 'filter', 'keys', 'sort', 'hint', 'avars', 'shardkey'];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.string(), (name, value) => {
        read(`${name}=${encodeURIComponent(value)}`);
      }),
    );
  });
});

describe('readSort', () => {
  it.each([
    [['a'], { a: 1 }],
    [['-a'], { a: -1 }],
    [[' a'], { a: 1 }],
    [['+a', '-b'], { a: 1, b: -1 }],
    [['{"a":1,"b":-1}', 'c'], { a: 1, b: -1, c: 1 }],
  ] as const)('reads %j', (items, expected) => {
    expect(readSort(items)).toEqual(documentOf(expected));
  });
  it('has no opinion without items', () => {
    expect(readSort([])).toBeUndefined();
  });
  it('refuses broken JSON', () => {
    expect(() => readSort(['{"a":'])).toThrow('Invalid sort parameter');
  });
  it.each(['a\0', '-a\0b', '+\0'])('refuses %j, which no name can hold', (item) => {
    expect(() => readSort([item])).toThrow('Invalid sort parameter');
  });
});
