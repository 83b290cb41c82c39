/** Settings that change answers: mounts as RESTHeart tolerates them, ranges, representations by all their names. */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type RowTable, testRows } from '../support/rows.ts';
import { openTarget, type Target } from '../support/target.ts';
import { RANGE_ROWS } from './files.rows.ts';

function onServer(name: string, configuration: string, rows: RowTable): void {
  describe(name, () => {
    let target: Target;
    beforeAll(async () => {
      target = await openTarget(configuration);
    });
    afterAll(() => target.close());
    testRows(() => target.baseUrl, rows);
  });
}

onServer(
  'files with ranges',
  `mongo:
  file-ranges: true
  mongo-mounts:
    - what: "*"
      where: /`,
  RANGE_ROWS,
);

onServer(
  'a mount without leading slash, PJ by default',
  `mongo:
  default-representation-format: PJ
  mongo-mounts:
    - what: mounted
      where: /m`,
  [
    {
      name: 'reads `what` as a path from the root',
      chapter: '1.5',
      collection: false,
      given: ['PUT /m', 'PUT /m/{c}'],
      request: 'GET /m?np&keys={"_id":1}',
      status: 200,
      text: /^\[\{"_id": /,
      replyHeaders: { 'Content-Type': 'application/hal+json' },
    },
    {
      name: 'answers 502 without blanks',
      chapter: '1.5',
      collection: false,
      request: 'GET /nothing/here',
      status: 502,
      text: '{"http status code":502,"http status description":"Bad Gateway","message":"No MongoDB resource bound for /nothing/here"}',
      replyHeaders: { 'Content-Type': 'application/json', 'X-Powered-By': null },
    },
    {
      name: 'redirects to the page of the metrics',
      chapter: 'operations §9',
      collection: false,
      request: 'GET /metrics-ui',
      status: 302,
      replyHeaders: { Location: 'http://{host}/metrics-ui/', 'X-Powered-By': null },
    },
    {
      name: 'has the page of the metrics',
      chapter: 'operations §9',
      collection: false,
      request: 'GET /metrics-ui/',
      status: 200,
      text: /^<!doctype html>/,
      replyHeaders: { 'Content-Type': /^text\/html/, 'Access-Control-Allow-Origin': null },
    },
  ],
);

onServer(
  'a database of its own',
  `mongo:
  mongo-mounts:
    - what: /described-${process.pid}
      where: /`,
  [
    {
      name: 'describes collections, buckets, schemas and aggregations',
      chapter: 'description',
      collection: false,
      given: [
        'PUT /',
        'PUT /_schemas',
        'PUT /_schemas/s?wm=upsert {"properties":{"n":{"type":"integer"}}}',
        'PUT /{c} {"jsonSchema":{"schemaId":"s"},"aggrs":[{"uri":"sum","stages":[]}]}',
        'PUT /{c}.files',
      ],
      request: 'GET /openapi.json',
      status: 200,
      bodyHas: {
        openapi: '3.1.0',
        paths: {
          '/{c}': { get: expect.anything(), post: expect.anything() },
          '/{c}/{id}': { patch: expect.anything() },
          '/{c}/*': { patch: expect.anything() },
          '/{c}/_indexes/{index}': { put: expect.anything() },
          '/{c}/_aggrs/sum': { get: expect.anything() },
          '/{c}.files/{id}/binary': { get: expect.anything() },
          '/_sessions': { post: expect.anything() },
        },
        components: {
          schemas: {
            [`described-${process.pid}_{c}`]: { properties: { n: { type: 'integer' } } },
          },
        },
      },
    },
  ],
);
