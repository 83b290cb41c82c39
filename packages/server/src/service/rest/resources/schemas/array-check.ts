/** Keywords of arrays (JSON Schema draft-04 §5.3). */

import { type Check, limitOf, SchemaError, type SchemaScope, wrongType } from './check.ts';
import { isEqualJson, type JsonForm, type JsonObject, minify } from './json-form.ts';
import { prepend, summarize, type Violation, violation } from './violation.ts';

/** @param isRequired - false: values of other types pass */
export function compileArrayCheck(
  node: JsonObject,
  scope: SchemaScope,
  isRequired: boolean,
): Check {
  const minItems = limitOf(node, 'minItems');
  const maxItems = limitOf(node, 'maxItems');
  const isUnique = node.get('uniqueItems') === true;
  const compile = (schema: JsonForm) => scope.compile(schema, scope.baseUrl);
  const items = node.get('items');
  if (items !== undefined && !Array.isArray(items) && !(items instanceof Map)) {
    throw new SchemaError('items must be a schema or an array of schemas');
  }
  const each = items instanceof Map ? compile(items) : undefined;
  const positions = Array.isArray(items) ? items.map(compile) : undefined;
  const additional = node.get('additionalItems');
  const rest =
    additional instanceof Map && positions !== undefined ? compile(additional) : undefined;

  function inspectItems(array: readonly JsonForm[], findings: Violation[]): void {
    array.forEach((item, index) => {
      const check = each ?? positions?.[index] ?? rest;
      const failure = check?.(item);
      if (failure !== undefined) findings.push(prepend(String(index), failure));
    });
  }

  return (value) => {
    if (!Array.isArray(value)) return isRequired ? wrongType('JSONArray', value) : undefined;
    const findings: Violation[] = [];
    const count = value.length;
    if (minItems !== undefined && count < minItems) {
      findings.push(violation(`expected minimum item count: ${minItems}, found: ${count}`));
    }
    if (maxItems !== undefined && count > maxItems) {
      findings.push(violation(`expected maximum item count: ${maxItems}, found: ${count}`));
    }
    if (isUnique && hasDuplicates(value)) findings.push(violation('array items are not unique'));
    if (each !== undefined || positions !== undefined) inspectItems(value, findings);
    if (positions !== undefined && additional === false && count > positions.length) {
      findings.push(violation(`expected: [${positions.length}] array items, found: [${count}]`));
    }
    return summarize(findings);
  };
}

/** Compares in full only what looks alike, so that long arrays cost no quadratic time. */
function hasDuplicates(items: readonly JsonForm[]): boolean {
  const seen = new Map<string, JsonForm[]>();
  for (const item of items) {
    const key = item instanceof Map ? `{${[...item.keys()].sort().join()}` : looseKey(item);
    const alike = seen.get(key);
    if (alike === undefined) {
      seen.set(key, [item]);
    } else {
      if (alike.some((other) => isEqualJson(other, item))) return true;
      alike.push(item);
    }
  }
  return false;
}

/** Equal values have equal keys; `1` and `1.0` are equal. */
function looseKey(item: JsonForm): string {
  if (Array.isArray(item)) return `[${item.length}:${item.map(looseKey).join()}`;
  if (item instanceof Map) return '{';
  return minify(item).replace(/\.0$/, '');
}
