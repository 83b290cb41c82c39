import { describe, expect, it } from 'vitest';
import type { BsonDocument } from '../../../../model/bson.ts';
import { parseJson } from '../../../../representation/json-reader.ts';
import { linkDocument, readRelationships } from './relationships.ts';

const OID = '507f1f77bcf86cd799439011';
const surroundings = {
  database: 'db',
  collection: 'c',
  toRequestPath: (path: string) => path.replace(/^\/db/, ''),
};

function link(rel: string, document: string) {
  const properties = parseJson(`{rels:[${rel}]}`) as BsonDocument;
  const { relationships } = readRelationships(properties, 'db', 'c');
  return linkDocument(parseJson(document) as BsonDocument, relationships, surroundings);
}
const rel = (role: string, type: string, field = 'f') =>
  `{rel:"r",type:"${type}",role:"${role}","target-coll":"t","ref-field":"${field}"}`;

describe('relationships', () => {
  it.each([
    ['OWNING', 'MANY_TO_ONE', '{f:"x"}', '/t/x'],
    ['OWNING', 'ONE_TO_ONE', `{f:"${OID}"}`, `/t/${OID}?id_type=STRING`],
    ['OWNING', 'ONE_TO_ONE', `{f:{$oid:"${OID}"}}`, `/t/${OID}`],
    ['OWNING', 'ONE_TO_ONE', '{f:3}', '/t/3?id_type=NUMBER'],
    ['OWNING', 'ONE_TO_ONE', '{f:["x"]}', '/t/x'],
    ['OWNING', 'ONE_TO_ONE', '{f:{$date:5}}', '/t/{"$date":5}?id_type=DATE'],
    [
      'OWNING',
      'ONE_TO_MANY',
      `{f:["a",{$oid:"${OID}"},3]}`,
      `/t?filter={'_id':{'$in':['a',{'$oid':'${OID}'},3]}}`,
    ],
    ['INVERSE', 'ONE_TO_MANY', '{_id:"i"}', "/t?filter={'f':'i'}"],
    ['INVERSE', 'MANY_TO_MANY', '{_id:7}', "/t?filter={'f':{'$elemMatch':{'$eq':7}}}"],
    ['OWNING', 'ONE_TO_ONE', '{}', undefined],
  ])('%s %s of %s links to %s', (role, type, document, href) => {
    expect(link(rel(role, type), document).links.get('r')).toBe(href);
  });

  it('follows paths with wildcards', () => {
    expect(
      link(rel('OWNING', 'ONE_TO_MANY', '$.a.*.b[*]'), '{a:{x:{b:[1]},y:{b:[2,3]}}}').links.get(
        'r',
      ),
    ).toBe("/t?filter={'_id':{'$in':[1,2,3]}}");
  });

  it('warns of a reference that is no array', () => {
    expect(link(rel('OWNING', 'ONE_TO_MANY'), '{_id:"i",f:1}').warnings).toEqual([
      'in resource db/c/i the ONE_TO_MANY relationship ref-field f should be an array, but it is INT32',
    ]);
  });

  it('gives no relationship at all when one definition is broken', () => {
    const properties = parseJson(
      `{rels:[${rel('OWNING', 'ONE_TO_ONE')},{rel:"x"}]}`,
    ) as BsonDocument;
    expect(readRelationships(properties, 'db', 'c')).toEqual({
      relationships: [],
      warning: 'collection db/c has invalid relationships definition',
    });
  });
});
