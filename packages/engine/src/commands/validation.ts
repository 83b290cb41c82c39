import { type Document, toDocument } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { explainValidationFailure } from '../query/validation-details.ts';
import { validatorOptions } from './query-environment.ts';

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
      errInfo: explainValidationFailure(validator, document, validatorOptions(collection.collator)),
    }),
  });
}
