import type { AnyService } from '../model/service.ts';
import { decodeEscapes } from './query-string.ts';

interface Route {
  readonly uri: string;
  readonly exact: boolean;
  readonly service: AnyService;
}

/**
 * Finds the service bound to the longest path prefix, on segment boundaries (security.md §1 step 2).
 *
 * Routes are grouped by their first segment, so that a request meets only the few that can match it.
 */
export class Router {
  readonly #byFirstSegment = new Map<string, readonly Route[]>();
  #root: readonly Route[] = [];

  constructor(services: readonly AnyService[]) {
    const groups = new Map<string, Route[]>();
    for (const service of services) {
      for (const uri of [service.uri, ...(service.routes ?? [])]) {
        const route = {
          uri: uri.length > 1 && uri.endsWith('/') ? uri.slice(0, -1) : uri,
          exact: service.match === 'exact',
          service,
        };
        const key = route.uri === '/' ? '' : firstSegment(route.uri);
        const group = groups.get(key);
        if (group === undefined) groups.set(key, [route]);
        else group.push(route);
      }
    }
    for (const [key, group] of groups) {
      // the sort is stable: of two services on one uri the first one wins
      const sorted = group.sort((a, b) => b.uri.length - a.uri.length);
      if (key === '') this.#root = sorted;
      else this.#byFirstSegment.set(key, sorted);
    }
  }

  /** @param rawPath - not decoded; escapes other than `%2F` are decoded for the comparison */
  find(rawPath: string): AnyService | undefined {
    const path = rawPath.includes('%') ? decodeForRouting(rawPath) : rawPath;
    const group = this.#byFirstSegment.get(firstSegment(path));
    if (group !== undefined) {
      for (const route of group) if (matches(route, path)) return route.service;
    }
    for (const route of this.#root) {
      if (!route.exact || path === '/') return route.service;
    }
    return undefined;
  }
}

function firstSegment(path: string): string {
  const end = path.indexOf('/', 1);
  return end === -1 ? path.slice(1) : path.slice(1, end);
}

function matches(route: Route, path: string): boolean {
  const uri = route.uri;
  if (!path.startsWith(uri)) return false;
  if (path.length === uri.length) return true;
  return !route.exact && path.charCodeAt(uri.length) === 47;
}

function decodeForRouting(rawPath: string): string {
  return decodeEscapes(rawPath.replaceAll(/%2f/gi, '%252F'));
}
