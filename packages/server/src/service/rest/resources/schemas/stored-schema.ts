/** Schemas in the form in which the store keeps them (rest-resources.md §4.1). */

import { QuorateError } from '../../../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument, ObjectId } from '../../../../model/bson.ts';
import { formatIdForUri } from '../../document-id.ts';
import { toJsonObject } from './json-form.ts';
import { checkAgainstMetaSchema } from './meta-schema.ts';
import { listViolations } from './violation.ts';

const DRAFT_04 = 'http://json-schema.org/draft-04/schema#';

/** URL of a stored schema, without a fragment. */
export function schemaUrl(database: string, id: BsonValue): string {
  return `http://schema-store/${database}/${formatIdForUri(id) ?? ''}`;
}

/**
 * The document to store for a schema that a client sends.
 *
 * @param id - undefined for a POST without `_id`: the URL then holds an id of its own, as in the reference
 * @throws ERR_VALIDATION_SCHEMA when the meta-schema does not allow it
 */
export function toStoredSchema(
  body: BsonDocument,
  database: string,
  id: BsonValue | undefined,
): BsonDocument {
  const failure = checkAgainstMetaSchema(toJsonObject(body));
  if (failure !== undefined) {
    throw new QuorateError('ERR_VALIDATION_SCHEMA', {
      message: `Request content violates JSON Schema meta schema: ${listViolations(failure).join(', ')}`,
    });
  }
  const stored = escapeNames(body) as BsonDocument;
  stored.set('_$schema', DRAFT_04);
  stored.set('id', `${schemaUrl(database, id ?? new ObjectId())}#`);
  return stored;
}

/** `$ref` → `_$ref`; texts in arrays that begin with `$` too. */
function escapeNames(value: BsonValue): BsonValue {
  if (Array.isArray(value)) {
    return value.map((item) =>
      typeof item === 'string' && item.startsWith('$') ? `_${item}` : escapeNames(item),
    );
  }
  if (!isDocument(value)) return value;
  return new Map(
    [...value].map(([name, member]) => [
      name.startsWith('$') ? `_${name}` : name,
      escapeNames(member),
    ]),
  );
}

/** The schema as the client sent it, but for the members that the store forces. */
export function toSentSchema(stored: BsonDocument): BsonDocument {
  return unescapeNames(stored) as BsonDocument;
}

function unescapeNames(value: BsonValue): BsonValue {
  if (Array.isArray(value)) {
    return value.map((item) =>
      typeof item === 'string' && item.startsWith('_$') ? item.slice(1) : unescapeNames(item),
    );
  }
  if (!isDocument(value)) return value;
  return new Map(
    [...value].map(([name, member]) => [
      name.startsWith('_$') ? name.slice(1) : name,
      unescapeNames(member),
    ]),
  );
}
