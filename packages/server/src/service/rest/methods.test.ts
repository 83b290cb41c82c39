import { describe, expect, it } from 'vitest';
import { corsListsOf } from './methods.ts';

describe('corsListsOf', () => {
  it.each([
    ['ROOT', 'GET', 'GET', '', ''],
    ['DB', 'GET', 'GET, PUT, PATCH, DELETE', ', If-Match', 'ETag'],
    ['COLLECTION', 'GET', 'GET, PUT, PATCH, POST, DELETE', ', If-Match', 'ETag'],
    ['COLLECTION', 'POST', 'GET, PUT, PATCH, POST, DELETE', ', If-Match', 'Location, ETag'],
    ['DOCUMENT', 'POST', 'GET, PUT, PATCH, DELETE', ', If-Match, If-None-Match', 'ETag'],
    ['SESSIONS', 'POST', 'POST', ', If-Match', 'Location, ETag'],
    ['AGGREGATION', 'GET', 'GET', '', 'ETag'],
  ] as const)('of %s for %s', (type, method, methods, headers, expose) => {
    expect(corsListsOf(type, method)).toEqual({
      allowMethods: methods,
      allowHeaders: `Authorization, Content-Type, X-Requested-With, No-Auth-Challenge${headers}`,
      exposeHeaders: expose,
    });
  });
  it('is empty for an invalid path', () => {
    expect(corsListsOf('INVALID', 'GET')).toMatchObject({ allowMethods: '', allowHeaders: '' });
  });
});
