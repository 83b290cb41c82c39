/** What a write did to an account, for those who end its tokens (cluster.md E2). */
import { type BsonDocument, type BsonValue, isDocument } from '../../model/bson.ts';
import type { MongoRequest } from './rest-request.ts';

/** One write to the collection of accounts. */
export interface AccountWrite {
  /** Undefined: not one account but those that a filter finds. */
  readonly name: string | undefined;
  readonly isDeletion: boolean;
  readonly touchesPassword: boolean;
  readonly touchesRoles: boolean;
}

/** What a succeeded write did; several accounts of one body are several writes. */
export function accountWritesOf(
  { type, method, id, content }: MongoRequest,
  properties: { readonly password: string; readonly roles: string },
): readonly AccountWrite[] {
  const touches = (body: BsonDocument | undefined, name: string | undefined): AccountWrite => ({
    name,
    isDeletion: false,
    touchesPassword: method === 'PUT' || mentions(body, properties.password),
    touchesRoles: method === 'PUT' || mentions(body, properties.roles),
  });
  const deletion = { isDeletion: true, touchesPassword: false, touchesRoles: false };
  const body = isDocument(content) ? content : undefined;
  switch (type) {
    case 'DOCUMENT': {
      const name = typeof id === 'string' ? id : undefined;
      if (method === 'DELETE') return [{ name, ...deletion }];
      if (Array.isArray(content)) return [touches(merged(content), name)];
      return [touches(body, name)];
    }
    case 'BULK_DOCUMENTS':
      return [method === 'DELETE' ? { name: undefined, ...deletion } : touches(body, undefined)];
    case 'COLLECTION': {
      if (method === 'DELETE') return [{ name: undefined, ...deletion }];
      const items = Array.isArray(content) ? content.filter(isDocument) : body ? [body] : [];
      return items.flatMap((item) => {
        const name = item.get('_id');
        return typeof name === 'string' ? [touches(item, name)] : [];
      });
    }
    default:
      return [];
  }
}

/** The fields of an update pipeline's stages. */
function merged(stages: readonly BsonValue[]): BsonDocument {
  return new Map(stages.flatMap((stage) => (isDocument(stage) ? [...stage] : [])));
}

function mentions(body: BsonDocument | undefined, property: string): boolean {
  if (body === undefined) return false;
  for (const [name, value] of body) {
    if (name === property || name.startsWith(`${property}.`)) return true;
    if (name.startsWith('$') && isDocument(value) && mentions(value, property)) return true;
  }
  return false;
}
