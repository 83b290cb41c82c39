import { describe, expect, it } from 'vitest';
import type { AnyService } from '../model/service.ts';
import { Router } from './router.ts';

function service(name: string, uri: string, more: Partial<AnyService> = {}): AnyService {
  const handle = () => ({ status: 200, headers: [] });
  return { name, uri, match: 'prefix', secured: false, handle, ...more };
}

describe('Router', () => {
  const router = new Router([
    service('root', '/'),
    service('ping', '/ping'),
    service('metrics', '/metrics'),
    service('metrics-ui', '/metrics-ui'),
    service('health', '/health/db', { match: 'exact' }),
    service('token', '/token', { routes: ['/other/token'] }),
  ]);
  const find = (path: string) => router.find(path)?.name;

  it.each([
    ['/', 'root'],
    ['/ping', 'ping'],
    ['/ping/', 'ping'],
    ['/ping/x/y', 'ping'],
    ['/pingx', 'root'],
    ['/metrics-ui/a.html', 'metrics-ui'],
    ['/metrics/*', 'metrics'],
    ['/health/db', 'health'],
    ['/health/db/x', 'root'],
    ['/health', 'root'],
    ['/other/token/a', 'token'],
    ['/other/toke', 'root'],
    ['/%70ing', 'ping'],
    ['/other%2Ftoken', 'root'],
    ['/%', 'root'],
  ])('sends %s to %s', (path, name) => {
    expect(find(path)).toBe(name);
  });

  it('finds nothing where nothing is bound', () => {
    expect(new Router([service('ping', '/ping')]).find('/x')).toBeUndefined();
    expect(new Router([]).find('/')).toBeUndefined();
  });

  it('answers the bare root alone with a service bound to it exactly', () => {
    const exact = new Router([service('root', '/', { match: 'exact' })]);
    expect(exact.find('/')?.name).toBe('root');
    expect(exact.find('/x')).toBeUndefined();
  });
});
