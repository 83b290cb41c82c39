import { type Document, toDocument, type Value } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';

/**
 * Checks a document against its collection's validator (manual, "Schema Validation").
 *
 * @param before - the stored document an update starts from: at level moderate, one that was
 * invalid already may stay so
 * @throws DocumentValidationFailure with errInfo
 */
export function checkValid(collection: Collection, document: Document, before?: Document): void {
  const { validator, options } = collection;
  const level = options.get('validationLevel') ?? 'strict';
  if (validator === undefined || level === 'off') return;
  if (validator.matches(document)) return;
  if (level === 'moderate' && before !== undefined && !validator.matches(before)) return;
  if (options.get('validationAction') === 'warn') return;
  throw new MongoCommandError('DocumentValidationFailure', 'Document failed validation', {
    extra: toDocument({
      errInfo: toDocument({
        failingDocumentId: document.get('_id'),
        details: describeFailure(options.get('validator')),
      }),
    }),
  });
}

/** Which rule failed: the operator, and the specification it stands in. */
function describeFailure(validator: Value | undefined): Document {
  if (!(validator instanceof Map)) return new Map();
  const [[operator, specification] = ['', null]] = validator;
  const named = operator.startsWith('$') && validator.size === 1;
  return toDocument({
    operatorName: named ? operator : '$and',
    specifiedAs: named ? toDocument({ [operator]: specification }) : validator,
    reason: 'document did not match the validator',
  });
}
