import type { Reply } from '../../model/reply.ts';
import type { Service } from '../../model/service.ts';

/** `POST /ic?db=…[&coll=…]`: forgets cached properties after changes that did not pass this server (rest-resources.md §11). */
export function createCacheInvalidationService(parts: {
  readonly uri: string;
  /** False: there is nothing to forget. */
  readonly isCacheEnabled: boolean;
  readonly invalidate: (database: string, collection: string | undefined) => void;
}): Service {
  return {
    name: 'cacheInvalidator',
    uri: parts.uri,
    match: 'prefix',
    secured: true,
    handle({ method, query }): Reply {
      if (method !== 'POST') return { status: 405, headers: [] };
      if (!parts.isCacheEnabled) return { status: 304, headers: [] };
      const database = query.get('db');
      if (database === undefined || database === '') {
        const body = '{"msg": "the db query parameter is mandatory"}';
        return { status: 400, headers: [['Content-Type', 'application/json']], body };
      }
      parts.invalidate(database, query.get('coll'));
      return { status: 200, headers: [] };
    },
  };
}
