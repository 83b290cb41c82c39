/** Which changed paths a reader could take for others (manual, `updateDescription.disambiguatedPaths`). */
import type { Document, Value } from '../../bson/value.ts';
import type { UpdateChanges } from './apply-tree.ts';

/** Field names, and positions in arrays. */
type Component = string | number;

const NUMERIC = /^\d+$/;

/** Finds a changed path in a document, where a field's name may hold dots. */
function resolve(parts: readonly string[], value: Value | undefined): Component[] | undefined {
  const [first, ...rest] = parts;
  if (first === undefined) return [];
  if (Array.isArray(value)) {
    if (!NUMERIC.test(first)) return undefined;
    const below = resolve(rest, value[Number(first)]);
    return below === undefined ? undefined : [Number(first), ...below];
  }
  if (!(value instanceof Map)) return undefined;
  for (let taken = 1; taken <= parts.length; taken += 1) {
    const name = parts.slice(0, taken).join('.');
    if (!value.has(name)) continue;
    const below = resolve(parts.slice(taken), value.get(name));
    if (below !== undefined) return [name, ...below];
  }
  return undefined;
}

const isAmbiguous = (component: Component): boolean =>
  typeof component === 'string' && (NUMERIC.test(component) || component.includes('.'));

/**
 * The changed paths with a field whose name is a number or holds a dot, each with its components:
 * names as strings, positions in arrays as numbers.
 *
 * @returns undefined where all paths mean what they seem to
 */
export function findAmbiguousPaths(
  changes: UpdateChanges,
  before: Document,
  after: Document,
): Document | undefined {
  let found: Document | undefined;
  const look = (path: string, document: Document): void => {
    if (!path.includes('.') && !NUMERIC.test(path)) return;
    const components = resolve(path.split('.'), document);
    if (components?.some(isAmbiguous)) {
      found ??= new Map();
      found.set(path, components);
    }
  };
  for (const path of changes.updatedFields.keys()) look(path, after);
  for (const path of changes.removedFields) look(path, before);
  for (const { field } of changes.truncatedArrays) look(field, after);
  return found;
}
