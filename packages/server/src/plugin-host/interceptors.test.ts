import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../model/http-request.ts';
import { ANONYMOUS } from '../model/identity.ts';
import type { AnyService } from '../model/service.ts';
import { type InterceptedExchange, type Interceptor, InterceptorTable } from './interceptors.ts';

const SERVICE: AnyService = {
  name: 's',
  uri: '/',
  match: 'prefix',
  secured: false,
  kind: 'json',
  handle: () => ({ status: 200, headers: [] }),
};

function exchange(): InterceptedExchange {
  const request = {} as HttpRequest;
  return { request, service: SERVICE, identity: ANONYMOUS, reply: undefined };
}

function interceptor(name: string, calls: string[], more: Partial<Interceptor> = {}): Interceptor {
  return {
    name,
    point: 'after-auth',
    priority: 10,
    kind: '*',
    resolve: () => {
      calls.push(`resolve ${name}`);
      return true;
    },
    handle: () => {
      calls.push(`handle ${name}`);
    },
    ...more,
  };
}

describe('InterceptorTable', () => {
  it('asks all of a request point before the first one acts, in order of priority', async () => {
    const calls: string[] = [];
    const table = new InterceptorTable();
    expect(table.isEmpty).toBe(true);
    table.add(interceptor('late', calls));
    table.add(interceptor('early', calls, { priority: 1 }));
    table.add(interceptor('later', calls));
    table.add(interceptor('mongo', calls, { kind: 'mongo' }));
    await table.runRequest('after-auth', exchange());
    expect(calls).toEqual([
      'resolve early',
      'resolve late',
      'resolve later',
      'handle early',
      'handle late',
      'handle later',
    ]);
    for (const name of ['late', 'early', 'later', 'mongo']) table.remove(name);
    expect(table.isEmpty).toBe(true);
  });

  it('takes a response interceptor that cannot decide for one that is not meant', async () => {
    const calls: string[] = [];
    const table = new InterceptorTable();
    const failing = (): never => {
      throw new Error('no');
    };
    table.add(interceptor('broken', calls, { point: 'response', resolve: failing }));
    table.add(interceptor('fine', calls, { point: 'response' }));
    table.add(interceptor('watcher', calls, { point: 'response-async', handle: failing }));
    const reported: string[] = [];
    await table.runResponse(exchange(), ({ name }) => reported.push(name));
    await new Promise((resolve) => setImmediate(resolve));
    expect(reported.sort()).toEqual(['broken', 'watcher']);
    expect(calls).toContain('handle fine');
  });
});
