import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../model/http-request.ts';
import { withBeyond } from './beyond-cors.ts';

const lists = {
  allowMethods: 'GET',
  allowHeaders: 'Authorization, If-Match',
  exposeHeaders: 'ETag',
};
const request = (method: string, headers: Record<string, string>, rawQuery = '') =>
  ({ method, rawQuery, header: (name: string) => headers[name] }) as unknown as HttpRequest;

describe('withBeyond', () => {
  it('leaves the lists of an ordinary request alone', () => {
    expect(withBeyond(lists, request('GET', {}))).toBe(lists);
    expect(withBeyond(lists, request('OPTIONS', {}))).toBe(lists);
    const asked = { 'access-control-request-headers': 'authorization, if-match, x-other' };
    expect(withBeyond(lists, request('OPTIONS', asked))).toBe(lists);
  });

  it('allows the headers of our features to a preflight request that names them', () => {
    const asked = { 'access-control-request-headers': 'if-match,tus-resumable, upload-length,x' };
    expect(withBeyond(lists, request('OPTIONS', asked)).allowHeaders).toBe(
      'Authorization, If-Match, Tus-Resumable, Upload-Length',
    );
  });

  it.each([
    [{ 'idempotency-key': 'k' }, '', 'ETag, Idempotency-Replayed'],
    [{ 'quorate-consistency': 'track' }, '', 'ETag, Quorate-Consistency'],
    [{ range: 'bytes=0-1' }, '', 'ETag, Accept-Ranges, Content-Range'],
    [{}, 'pagesize=2&after=', 'ETag, Link'],
  ])('exposes the answer to %j %s', (headers, query, expected) => {
    const { exposeHeaders } = withBeyond(lists, request('GET', headers, query));
    expect(exposeHeaders).toBe(expected);
  });
});
