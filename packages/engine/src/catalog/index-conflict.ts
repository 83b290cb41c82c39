/** Which indexes can be in one collection beside each other. */
import { valuesEqual } from '../bson/compare.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { describeDocument } from '../query/describe.ts';
import { sameKeyPattern } from './index-key-pattern.ts';
import type { IndexSpec } from './index-spec.ts';

/** What tells two indexes apart: two with the same of these cannot be in one collection. */
const SIGNATURE = [
  'collation',
  'partialFilterExpression',
  'unique',
  'sparse',
  'wildcardProjection',
];

function sameSignature(a: IndexSpec, b: IndexSpec): boolean {
  return (
    sameKeyPattern(a.key, b.key) &&
    SIGNATURE.every((field) => valuesEqual(a.document.get(field), b.document.get(field)))
  );
}

/** Options count, the name and the order of the options do not. */
function sameOptions(a: IndexSpec, b: IndexSpec): boolean {
  const fields = new Set([...a.document.keys(), ...b.document.keys()]);
  for (const ignored of ['name', 'v', 'key', 'background']) fields.delete(ignored);
  return [...fields].every((field) => valuesEqual(a.document.get(field), b.document.get(field)));
}

function pair(wanted: IndexSpec, existing: IndexSpec): string {
  return `Requested index: ${describeDocument(wanted.document)}, existing index: ${describeDocument(existing.document)}`;
}

/**
 * True when the wanted index is there already.
 *
 * @throws IndexOptionsConflict, IndexKeySpecsConflict when one is there that excludes it
 */
export function matchesExistingIndex(wanted: IndexSpec, existing: readonly IndexSpec[]): boolean {
  const sameName = existing.find(({ name }) => name === wanted.name);
  if (sameName !== undefined) {
    if (sameSignature(wanted, sameName)) {
      if (sameOptions(wanted, sameName)) return true;
      throw new MongoCommandError(
        'IndexOptionsConflict',
        `An equivalent index already exists with the same name but different options. ${pair(wanted, sameName)}`,
      );
    }
    throw new MongoCommandError(
      'IndexKeySpecsConflict',
      `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. ${pair(wanted, sameName)}`,
    );
  }
  const sameIndex = existing.find((other) => sameSignature(wanted, other));
  if (sameIndex !== undefined) {
    throw new MongoCommandError(
      'IndexOptionsConflict',
      sameOptions(wanted, sameIndex)
        ? `Index already exists with a different name: ${sameIndex.name}`
        : `An equivalent index already exists with a different name and options. ${pair(wanted, sameIndex)}`,
    );
  }
  if (wanted.kind === 'text' && existing.some(({ kind }) => kind === 'text')) {
    throw new MongoCommandError(
      'IndexOptionsConflict',
      `An equivalent index already exists with a different name and options. Only one text index per collection allowed.`,
    );
  }
  return false;
}
