/** The difference of two documents as change streams report it. */
import { valuesIdentical } from '../../bson/compare.ts';
import type { Document, Value } from '../../bson/value.ts';
import { noChanges, type UpdateChanges } from './apply-tree.ts';

function join(path: string, part: string): string {
  return path === '' ? part : `${path}.${part}`;
}

function diffValue(before: Value, after: Value, path: string, changes: UpdateChanges): void {
  if (before === after || valuesIdentical(before, after)) return;
  if (before instanceof Map && after instanceof Map) {
    diffDocument(before, after, path, changes);
  } else if (Array.isArray(before) && Array.isArray(after)) {
    diffArray(before, after, path, changes);
  } else {
    changes.updatedFields.set(path, after);
  }
}

/**
 * Fields are compared in the order they stand in: a field that changed places, or stands behind a
 * new one, has to be written again, for new fields come last.
 */
function diffDocument(
  before: Document,
  after: Document,
  path: string,
  changes: UpdateChanges,
): void {
  const names = [...after.keys()];
  let next = 0;
  for (const [name, value] of before) {
    const field = join(path, name);
    const successor = after.get(name);
    if (successor === undefined) {
      changes.removedFields.push(field);
    } else if (names[next] === name) {
      next += 1;
      diffValue(value, successor, field, changes);
    }
  }
  for (const name of names.slice(next)) {
    changes.updatedFields.set(join(path, name), after.get(name) ?? null);
  }
}

function diffArray(
  before: readonly Value[],
  after: readonly Value[],
  path: string,
  changes: UpdateChanges,
): void {
  const common = Math.min(before.length, after.length);
  for (let index = 0; index < common; index++) {
    diffValue(before[index] ?? null, after[index] ?? null, join(path, String(index)), changes);
  }
  for (let index = common; index < after.length; index++) {
    changes.updatedFields.set(join(path, String(index)), after[index] ?? null);
  }
  if (after.length < before.length) {
    changes.truncatedArrays.push({ field: path, newSize: after.length });
  }
}

/** What changed from `before` to `after` (manual, "Change Events", `updateDescription`). */
export function diffDocuments(before: Document, after: Document): UpdateChanges {
  const changes = noChanges();
  diffDocument(before, after, '', changes);
  return changes;
}
