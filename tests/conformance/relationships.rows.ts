/** Relationships: rest-resources.md §5. */
import type { Row, RowTable } from '../support/rows.ts';

const CHAPTER = 'resources §5';
const OID = '507f1f77bcf86cd799439011';

function rel(role: string, type: string): string {
  return `PATCH /{db}/{c} {"rels":[{"rel":"r","role":"${role}","type":"${type}","target-coll":"t","ref-field":"f"}]}`;
}

function linked(role: string, type: string, value: string, href: string | undefined): Row {
  return {
    name: `${role} ${type} of ${value} links to ${href ?? 'nothing'}`,
    chapter: CHAPTER,
    given: [rel(role, type), `POST /{db}/{c} {"_id":"d","f":${value}}`],
    request: 'GET /{db}/{c}/d?rep=HAL&keys={"_etag":0}',
    status: 200,
    ...(href === undefined
      ? { body: { _id: 'd', f: JSON.parse(value) } }
      : { bodyHas: { _links: { r: { href: `/{db}/t${href}` } } } }),
  };
}

export const RELATIONSHIP_ROWS: RowTable = [
  linked('OWNING', 'ONE_TO_ONE', '"x"', '/x'),
  linked('OWNING', 'MANY_TO_ONE', `{"$oid":"${OID}"}`, `/${OID}`),
  linked('OWNING', 'MANY_TO_ONE', `"${OID}"`, `/${OID}?id_type=STRING`),
  linked('OWNING', 'MANY_TO_ONE', '3', '/3?id_type=NUMBER'),
  linked('OWNING', 'MANY_TO_ONE', '["x"]', '/x'),
  linked(
    'OWNING',
    'ONE_TO_MANY',
    `["a",{"$oid":"${OID}"},3]`,
    `?filter={'_id':{'$in':['a',{'$oid':'${OID}'},3]}}`,
  ),
  linked('INVERSE', 'ONE_TO_MANY', '0', "?filter={'f':'d'}"),
  linked('INVERSE', 'MANY_TO_MANY', '0', "?filter={'f':{'$elemMatch':{'$eq':'d'}}}"),
  {
    name: 'warns of broken definitions and goes on',
    chapter: CHAPTER,
    given: ['PATCH /{db}/{c} {"rels":[{"rel":"r"}]}', 'POST /{db}/{c} {"_id":"d"}'],
    request: 'GET /{db}/{c}?rep=HAL',
    status: 200,
    bodyHas: {
      _embedded: {
        'rh:warnings': [
          {
            message: 'collection {db}/{c} has invalid relationships definition',
            _links: { self: { href: '#warnings' } },
          },
        ],
      },
    },
  },
];
