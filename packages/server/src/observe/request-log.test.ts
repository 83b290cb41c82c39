import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../model/http-request.ts';
import { createLog } from './log.ts';
import { createRequestLog, type RequestLogConfig } from './request-log.ts';
import type { EndedRequest } from './request-observer.ts';

const QUERY = {
  get: () => undefined,
  getAll: () => ['1'],
  has: () => false,
  names: () => ['a'],
  size: 1,
};

function event(path: string, more: Partial<EndedRequest> = {}): EndedRequest {
  const request = {
    id: 'r-1',
    method: 'GET',
    rawPath: path,
    rawQuery: 'a=1',
    query: QUERY,
    rawHeaders: ['Authorization', 'Basic secret1', 'Cookie', 'x=secret2', 'X-Id', '7'],
    header: (name: string) => (name === 'x-id' ? '7' : undefined),
    secure: false,
    host: 'h:8080',
    httpVersion: '1.1',
    remoteAddress: '127.0.0.1',
    remotePort: 5,
    localPort: 8080,
  } as unknown as HttpRequest;
  return {
    request,
    serviceName: 'ping',
    identity: { kind: 'account', name: 'admin', roles: ['a', 'b'], properties: new Map() },
    status: 200,
    elapsedMs: 7.2,
    contentLength: 147,
    responseHeaders: [['Auth-Token', 'secret3']],
    ...more,
  };
}

function record(config: Partial<RequestLogConfig>, clock?: () => number) {
  const lines: string[] = [];
  const sink = { write: (line: string) => void lines.push(line), flushSync: () => {} };
  const log = createLog({
    level: 'INFO',
    format: 'json',
    colors: false,
    fullStackTrace: false,
    sinks: [sink],
  });
  const observer = createRequestLog(
    { mode: 1, tracingHeaders: [], excludePatterns: [], excludeIntervalMinutes: 10, ...config },
    log,
    clock,
  );
  const messages = () => lines.map((line) => JSON.parse(line) as Record<string, string>);
  return { observer, messages };
}

describe('the request log', () => {
  it('writes one line as RESTHeart does, with the id of the request beside it', () => {
    const { observer, messages } = record({ tracingHeaders: ['X-Id', 'X-Other'] });
    observer.ended(event('/ping'));
    expect(messages()).toMatchObject([
      {
        msg: 'GET http://h:8080/ping?a=1 from /127.0.0.1:5 => status=200 elapsed=7ms contentLength=147 username=admin roles=[a, b]',
        requestId: 'r-1',
        'X-Id': '7',
      },
    ]);
  });

  it('dumps requests in mode 2 without credentials and cookies', () => {
    const { observer, messages } = record({ mode: 2 });
    observer.ended(event('/ping'));
    const [message] = messages();
    expect(message?.['msg']).toContain('header=X-Id=7');
    expect(message?.['msg']).toContain('header=Authorization=**********');
    expect(message?.['msg']).not.toContain('secret');
  });

  it('writes nothing in mode 0', () => {
    const { observer, messages } = record({ mode: 0 });
    observer.ended(event('/ping'));
    expect(messages()).toEqual([]);
  });

  it('mentions an excluded path the first time, and once in each interval', () => {
    let now = 0;
    const { observer, messages } = record({ excludePatterns: ['/p*'] }, () => now);
    for (const at of [0, 1000, 599_000, 600_000, 601_000]) {
      now = at;
      observer.ended(event('/ping'));
    }
    observer.ended(event('/other'));
    expect(messages().map((message) => message['msg']?.split('GET')[0])).toEqual([
      "First excluded request for pattern '/p*' (will log again every 10 minutes): ",
      "Excluded request for pattern '/p*' (last logged 10 minutes ago): ",
      '',
    ]);
  });

  it('takes every other character of a pattern as it is', () => {
    const { observer, messages } = record({ excludePatterns: ['/a.b'], excludeIntervalMinutes: 0 });
    for (const path of ['/a.b', '/a.b', '/axb']) observer.ended(event(path));
    expect(messages()).toHaveLength(2);
    expect(messages()[0]?.['msg']).toContain('(logging disabled for subsequent requests)');
  });
});
