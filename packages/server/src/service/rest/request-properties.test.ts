import { describe, expect, it } from 'vitest';
import { type BsonDocument, documentOf } from '../../model/bson.ts';
import type { RestContext } from './handler.ts';
import { addProperties } from './request-properties.ts';
import type { MongoRequest } from './rest-request.ts';

function changed(
  content: BsonDocument | BsonDocument[] | undefined,
  wanted: unknown,
  { method = 'POST' }: { method?: string } = {},
): MongoRequest['content'] {
  const request = {
    type: method === 'POST' ? 'COLLECTION' : 'DOCUMENT',
    method,
    content,
    collectionProperties: documentOf({ addRequestProperties: wanted }),
    http: {
      method,
      receivedAtMs: Date.UTC(2026, 10, 23, 5, 45, 3, 250),
      rawQuery: 'a=b',
      rawPath: '/db/c',
      host: 'example.com:8080',
      remoteAddress: '10.0.0.1',
      localPort: 8080,
      httpVersion: '1.1',
    },
  } as unknown as MongoRequest;
  const context = { permit: {}, identity: { kind: 'anonymous' } };
  addProperties(request, context as unknown as RestContext);
  return request.content;
}

describe('addProperties', () => {
  it('adds facts at the top for the array form', () => {
    const names = ['userName', 'userRoles', 'requestMethod', 'queryString', 'remoteIp', 'unknown'];
    expect(changed(documentOf({ a: 1 }), names)).toEqual(
      documentOf({
        a: 1,
        userName: null,
        userRoles: null,
        requestMethod: 'POST',
        queryString: '?a=b',
        remoteIp: '10.0.0.1',
      }),
    );
  });

  it('adds them under the first key for the object form', () => {
    const wanted = { log: ['dateTime', 'epochTimeStamp', 'localServerName', 'localPort'] };
    expect(changed(documentOf({}), wanted)).toEqual(
      documentOf({
        log: {
          dateTime: '[23/Nov/2026:05:45:03 +0000]',
          epochTimeStamp: new Date(Date.UTC(2026, 10, 23, 5, 45, 3)),
          localServerName: 'example.com',
          localPort: '8080',
        },
      }),
    );
  });

  it('adds them to every item of an array, and into $set beside operators', () => {
    expect(changed([documentOf({}), documentOf({ a: 1 })], ['requestMethod'])).toEqual([
      documentOf({ requestMethod: 'POST' }),
      documentOf({ a: 1, requestMethod: 'POST' }),
    ]);
    expect(changed(documentOf({ $inc: { n: 1 } }), ['requestMethod'], { method: 'PATCH' })).toEqual(
      documentOf({ $inc: { n: 1 }, $set: { requestMethod: 'PATCH' } }),
    );
  });
});
