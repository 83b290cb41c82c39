import { describe, expect, it } from 'vitest';
import { documentOf } from '../../model/bson.ts';
import { isEtagRequired } from './etag-policy.ts';
import type { ResourceType } from './resource-type.ts';
import { DEFAULT_REST_CONFIG } from './rest-config.ts';
import type { MongoRequest } from './rest-request.ts';

interface Facts {
  readonly type: ResourceType;
  readonly method: string;
  readonly ifMatch?: string;
  readonly checkEtag?: boolean;
  readonly database?: Record<string, unknown>;
  readonly collection?: Record<string, unknown>;
}

function requestOf(facts: Facts): MongoRequest {
  return {
    type: facts.type,
    method: facts.method,
    parameters: { checkEtag: facts.checkEtag === true },
    http: { header: () => facts.ifMatch },
    databaseProperties: facts.database && documentOf(facts.database),
    collectionProperties: facts.collection && documentOf(facts.collection),
  } as unknown as MongoRequest;
}

describe('isEtagRequired', () => {
  it.each<[Facts, boolean]>([
    [{ type: 'DOCUMENT', method: 'PUT' }, false],
    [{ type: 'DOCUMENT', method: 'DELETE' }, false],
    [{ type: 'DB', method: 'PUT' }, false],
    [{ type: 'DB', method: 'DELETE' }, true],
    [{ type: 'COLLECTION', method: 'DELETE' }, true],
    [{ type: 'COLLECTION', method: 'POST' }, false],
    [{ type: 'FILES_BUCKET', method: 'DELETE' }, true],
    [{ type: 'DOCUMENT', method: 'PUT', ifMatch: 'x' }, true],
    [{ type: 'DOCUMENT', method: 'PUT', checkEtag: true }, true],
    [{ type: 'DOCUMENT', method: 'PUT', collection: { etagDocPolicy: 'required' } }, true],
    [{ type: 'FILE', method: 'PATCH', database: { etagDocPolicy: 'REQUIRED' } }, true],
    [
      {
        type: 'DOCUMENT',
        method: 'PUT',
        database: { etagDocPolicy: 'REQUIRED' },
        collection: { etagDocPolicy: 'OPTIONAL' },
      },
      false,
    ],
    [{ type: 'COLLECTION', method: 'POST', collection: { etagDocPolicy: 'REQUIRED' } }, true],
    [{ type: 'COLLECTION', method: 'PUT', collection: { etagDocPolicy: 'REQUIRED' } }, false],
    [{ type: 'COLLECTION', method: 'PUT', database: { etagPolicy: 'REQUIRED' } }, true],
    [{ type: 'COLLECTION', method: 'DELETE', collection: { etagPolicy: 'OPTIONAL' } }, false],
    [{ type: 'FILES_BUCKET', method: 'DELETE', collection: { etagPolicy: 'OPTIONAL' } }, true],
    [{ type: 'SCHEMA_STORE', method: 'PUT', database: { etagPolicy: 'REQUIRED' } }, false],
    [{ type: 'DB', method: 'DELETE', database: { etagPolicy: 'OPTIONAL' } }, false],
    [{ type: 'DB', method: 'DELETE', database: { etagPolicy: 5 } }, true],
  ])('for %j is %s', (facts, expected) => {
    expect(isEtagRequired(requestOf(facts), DEFAULT_REST_CONFIG)).toBe(expected);
  });
});
