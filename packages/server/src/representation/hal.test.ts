import { describe, expect, it } from 'vitest';
import type { BsonDocument } from '../model/bson.ts';
import { encodeDocument } from '../model/raw-bson.ts';
import { errorBody } from './error-body.ts';
import {
  collectionTypeOf,
  namedProperties,
  renderHalBulk,
  renderHalDocument,
  renderHalList,
  renderShalBulk,
  renderShalList,
} from './hal.ts';
import type { HalRequest } from './hal-resource.ts';
import { parseJson } from './json-reader.ts';
import { pagingLinks, selfHref } from './paging-links.ts';
import { readRelationships, relationshipLinks } from './relationships.ts';

const doc = (text: string) => parseJson(text) as BsonDocument;
const raw = (text: string) => encodeDocument(doc(text));

const base: HalRequest = {
  type: 'COLLECTION',
  requestPath: '/db/coll',
  parameters: [],
  page: 1,
  pageSize: 2,
  full: false,
  noProperties: false,
  jsonMode: 'default',
  database: 'db',
  collection: 'coll',
  toRequestPath: (path) => path,
};
const items = [
  { type: 'DOCUMENT' as const, document: raw('{_id: "a", n: 1.0}') },
  { type: 'DOCUMENT' as const, document: raw('{_id: 2}') },
];

describe('compact HAL', () => {
  it('gives properties, counts and embedded documents in order', () => {
    const properties = namedProperties('coll', doc('{_id: "_properties.coll", x: 1}'));
    expect(renderHalList(base, { items, properties, size: 5 })).toBe(
      '{"_id": "coll", "x": 1, "_size": 5, "_total_pages": 3, "_returned": 2, ' +
        '"_embedded": {"rh:doc": [{"_id": "a", "n": 1.0}, {"_id": 2}]}}',
    );
  });

  it('leaves out counts when not counted, properties with np and empty parts', () => {
    const request = { ...base, noProperties: true };
    expect(renderHalList(request, { items: [], properties: doc('{x: 1}') })).toBe(
      '{"_returned": 0}',
    );
    expect(renderHalList(base, { items: [], size: 0 })).toBe(
      '{"_size": 0, "_total_pages": 0, "_returned": 0}',
    );
  });

  it('links aggregations and streams of a collection', () => {
    const properties = doc('{aggrs: [{uri: "sum", stages: []}], streams: [{uri: "all"}]}');
    expect(JSON.parse(renderHalList(base, { items: [], properties }))._links).toEqual({
      sum: { href: '/db/coll/_aggrs/sum' },
      all: { href: '/db/coll/_streams/all' },
    });
  });

  it('gives only _returned for aggregations that have results', () => {
    const request: HalRequest = { ...base, type: 'AGGREGATION', requestPath: '/db/coll/_aggrs/x' };
    expect(renderHalList(request, { items: [{ type: 'RESULT', document: raw('{a: 1}') }] })).toBe(
      '{"_returned": 1, "_embedded": {"rh:result": [{"a": 1}]}}',
    );
    expect(renderHalList(request, { items: [] })).toBe('{"_size": 0, "_returned": 0}');
  });

  it('links the content of files', () => {
    const file = raw('{_id: "f", length: 1}');
    const request: HalRequest = { ...base, type: 'FILE', requestPath: '/db/b.files/f' };
    expect(renderHalDocument(request, file, undefined)).toBe(
      '{"_id": "f", "length": 1, "_links": {"rh:data": {"href": "/db/b.files/f/binary"}}}',
    );
  });

  it('tells kinds of collections by their names', () => {
    expect(['a', 'a.files', '_schemas'].map(collectionTypeOf)).toEqual([
      'COLLECTION',
      'FILES_BUCKET',
      'SCHEMA_STORE',
    ]);
  });
});

describe('full HAL', () => {
  it('adds type, last update, self, paging and templated links', () => {
    const request = {
      ...base,
      full: true,
      page: 2,
      parameters: [
        { name: 'rep', value: 'HAL' },
        { name: 'hal', value: 'f' },
        { name: 'page', value: '2' },
        { name: 'count', value: '' },
      ],
    };
    const body = JSON.parse(renderHalList(request, { items, size: 5 }));
    expect(body._type).toBe('COLLECTION');
    expect(body._links.self.href).toBe('/db/coll?count=&hal=f&page=2&rep=HAL');
    expect(body._links.first.href).toBe('/db/coll?pagesize=2&rep=HAL&hal=f&count=');
    expect(body._links.last.href).toBe('/db/coll?page=3&pagesize=2&rep=HAL&hal=f&count=');
    expect(body._links.previous.href).toBe('/db/coll?page=1&pagesize=2&rep=HAL&hal=f&count=');
    expect(body._links['rh:db'].href).toBe('/db');
    expect(body._links['rh:coll']).toEqual({ href: '/db/{collname}', templated: true });
    expect(body._links['rh:document'].href).toBe('/db/coll/{docid}{?id_type}');
    expect(body._embedded['rh:doc'][1]).toEqual({
      _id: 2,
      _type: 'DOCUMENT',
      _links: { self: { href: '/db/coll/2?id_type=NUMBER' } },
    });
  });

  it('takes the last update from the ETag', () => {
    const request: HalRequest = {
      ...base,
      type: 'DOCUMENT',
      requestPath: '/db/coll/a',
      full: true,
    };
    const text = '{_id: "a", _etag: {$oid: "5e0be10000000000000000aa"}}';
    const body = JSON.parse(renderHalDocument(request, raw(text), undefined));
    expect(body._lastupdated_on).toBe('2020-01-01T00:00:00Z');
    expect(body._links['rh:coll'].href).toBe('/db/coll');
  });

  it('doubles the slash of collections mounted on one segment', () => {
    const request = { ...base, full: true, requestPath: '/x' };
    const { _links } = JSON.parse(renderHalList(request, { items: [] }));
    expect(_links['rh:coll'].href).toBe('//{collname}');
    expect(_links['rh:db']).toBeUndefined();
  });
});

describe('SHAL', () => {
  it('flattens the embedded resources and drops the links', () => {
    expect(renderShalList(base, { items: [], properties: doc('{aggrs: [{uri: "x"}]}') })).toBe(
      '{"aggrs": [{"uri": "x"}], "_returned": 0, "_embedded": []}',
    );
    expect(renderShalList({ ...base, noProperties: true }, { items })).toBe(
      '[{"_id": "a", "n": 1.0}, {"_id": 2}]',
    );
  });

  it('orders kinds as document, file, bucket, database, collection', () => {
    const request: HalRequest = { ...base, type: 'DB', requestPath: '/db' };
    const list = ['c', 'b.files', '_schemas'].map((name) => ({
      type: collectionTypeOf(name),
      document: namedProperties(name, undefined),
    }));
    expect(JSON.parse(renderShalList(request, { items: list, size: 3 }))._embedded).toEqual([
      { _id: 'b.files' },
      { _id: 'c' },
      { _id: '_schemas' },
    ]);
  });
});

describe('bulk results', () => {
  const summary = { inserted: 1, deleted: 0, modified: 0, matched: 0, links: ['/db/coll/a'] };
  it('are one embedded result in HAL and flat in SHAL', () => {
    const flat =
      '{"inserted": 1, "deleted": 0, "modified": 0, "matched": 0, ' +
      '"_links": {"rh:newdoc": [{"href": "/db/coll/a"}]}}';
    expect(renderShalBulk(summary, 'default')).toBe(flat);
    expect(renderHalBulk(summary, 'default')).toBe(`{"_embedded": {"rh:result": [${flat}]}}`);
  });
});

describe('counts', () => {
  it('are written as the mode writes integers', () => {
    const request: HalRequest = { ...base, type: 'DB', requestPath: '/db', jsonMode: 'extended' };
    expect(renderHalList(request, { items: [], size: 250 })).toBe(
      '{"_size": {"$numberInt": "250"}, "_total_pages": {"$numberInt": "125"}, "_returned": {"$numberInt": "0"}}',
    );
    const summary = { inserted: 0, deleted: 1, modified: 0, matched: 0, links: [] };
    expect(renderShalBulk(summary, 'extended')).toContain('"deleted": {"$numberInt": "1"}');
    expect(renderHalList({ ...request, jsonMode: 'strict' }, { items: [], size: 3e9 })).toContain(
      '"_size": {"$numberLong": "3000000000"}',
    );
  });
});

describe('relationships', () => {
  const row = (role: string, type: string, field: string) =>
    readRelationships(
      doc(
        `{rels: [{rel: "r", role: "${role}", type: "${type}", "target-coll": "t", "ref-field": "${field}"}]}`,
      ),
    ) ?? [];
  const target = doc(
    '{_id: {$oid: "5e0be10000000000000000aa"}, s: "x", o: "5e0be10000000000000000ab", n: 3, d: {$date: 5}, one: ["y"], many: ["a", {$oid: "5e0be10000000000000000ac"}, 3], list: [{id: 1}, {id: 2}]}',
  );
  it.each([
    ['OWNING', 'MANY_TO_ONE', 's', '/db/t/x'],
    ['OWNING', 'MANY_TO_ONE', 'o', '/db/t/5e0be10000000000000000ab?id_type=STRING'],
    ['OWNING', 'ONE_TO_ONE', 'n', '/db/t/3?id_type=NUMBER'],
    ['OWNING', 'ONE_TO_ONE', 'd', '/db/t/{"$date":5}?id_type=DATE'],
    ['OWNING', 'ONE_TO_ONE', 'one', '/db/t/y'],
    [
      'OWNING',
      'ONE_TO_MANY',
      'many',
      "/db/t?filter={'_id':{'$in':['a',{'$oid':'5e0be10000000000000000ac'},3]}}",
    ],
    ['OWNING', 'MANY_TO_MANY', '$.list[*].id', "/db/t?filter={'_id':{'$in':[1,2]}}"],
    ['INVERSE', 'ONE_TO_MANY', 'f', "/db/t?filter={'f':{'$oid':'5e0be10000000000000000aa'}}"],
    [
      'INVERSE',
      'MANY_TO_ONE',
      'f',
      "/db/t?filter={'f':{'$elemMatch':{'$eq':{'$oid':'5e0be10000000000000000aa'}}}}",
    ],
    ['OWNING', 'ONE_TO_ONE', 'missing', undefined],
  ])('%s %s on %s links to %s', (role, type, field, href) => {
    const links = relationshipLinks(target, row(role, type, field), base, []);
    expect(links[0]?.href).toBe(href);
  });

  it('warn of a reference that should be an array, without failing', () => {
    const warnings: string[] = [];
    relationshipLinks(target, row('OWNING', 'ONE_TO_MANY', 's'), base, warnings);
    expect(warnings).toEqual([
      'in resource db/coll/5e0be10000000000000000aa the ONE_TO_MANY relationship ref-field s should be an array, but it is STRING',
    ]);
  });

  it('that are invalid give a warning and no links', () => {
    const properties = doc('{rels: [{rel: "r"}]}');
    const body = JSON.parse(renderHalList(base, { items, properties }));
    expect(body._embedded['rh:warnings']).toEqual([
      {
        message: 'collection db/coll has invalid relationships definition',
        _links: { self: { href: '#warnings' } },
      },
    ]);
    expect(body._embedded['rh:doc'][0]._links).toBeUndefined();
  });
});

describe('paging links', () => {
  it('always offer the next page when nothing was counted', () => {
    expect(
      pagingLinks('/c', [{ name: 'hal', value: 'f' }], {
        page: 1,
        pageSize: 10,
        totalPages: undefined,
      }),
    ).toEqual([
      { rel: 'first', href: '/c?pagesize=10&hal=f' },
      { rel: 'next', href: '/c?page=2&pagesize=10&hal=f' },
    ]);
  });

  it('give the first page as the last of one', () => {
    expect(
      pagingLinks('/c', [{ name: 'hal', value: 'f' }], { page: 1, pageSize: 10, totalPages: 1 }),
    ).toEqual([
      { rel: 'first', href: '/c?pagesize=10&hal=f' },
      { rel: 'last', href: '/c?pagesize=10&hal=f' },
    ]);
  });

  it('leave a path without query as it is', () => {
    expect(selfHref('/c', [])).toBe('/c');
  });
});

describe('error object', () => {
  it('has its keys in order and cleans its texts', () => {
    const exceptionMessage = doc('{code: 2}');
    expect(
      errorBody({ status: 400, message: 'a "b"\tc', exception: 'x.Y', exceptionMessage }),
    ).toBe(
      '{"http status code": 400, "http status description": "Bad Request", "message": "a \'b\'  c", ' +
        '"exception": "x.Y", "exception message": {"code": 2}}',
    );
  });

  it('puts warnings first unless the request was a GET', () => {
    const parts = { status: 404, warnings: ['w'] };
    expect(errorBody({ ...parts, method: 'PUT' })).toBe(
      '{"_warnings": ["w"], "http status code": 404, "http status description": "Not Found"}',
    );
    expect(errorBody({ ...parts, method: 'GET' })).toBe(
      '{"http status code": 404, "http status description": "Not Found", "_warnings": ["w"]}',
    );
  });
});
