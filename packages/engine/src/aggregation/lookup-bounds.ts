/**
 * `$expr: {$eq: ['$field', '$$variable']}` in a joined pipeline: the variable's present value is
 * given to the planner as an equality beside the expression, so that an index can serve it.
 */
import { type Document, toDocument, type Value } from '../bson/value.ts';
import type { Variables } from './expression/operator.ts';
import { isNullish } from './expression/value-kind.ts';
import type { ExpressionScope } from './expression.ts';

export function narrowExpressions(
  filter: Document,
  scope: ExpressionScope,
  frame: Variables,
): Document {
  const bounds: Value[] = [];
  collectBounds(filter, scope, frame, bounds);
  return bounds.length === 0 ? filter : toDocument({ $and: [...bounds, filter] });
}

function collectBounds(
  filter: Document,
  scope: ExpressionScope,
  frame: Variables,
  bounds: Value[],
): void {
  for (const [name, value] of filter) {
    if (name === '$expr') {
      collectExpressionBounds(value, scope, frame, bounds);
    } else if (name === '$and' && Array.isArray(value)) {
      for (const part of value) {
        if (part instanceof Map) collectBounds(part, scope, frame, bounds);
      }
    }
  }
}

function collectExpressionBounds(
  spec: Value,
  scope: ExpressionScope,
  frame: Variables,
  bounds: Value[],
): void {
  if (!(spec instanceof Map)) return;
  const parts = spec.get('$and');
  if (Array.isArray(parts)) {
    for (const part of parts) collectExpressionBounds(part, scope, frame, bounds);
  }
  const pair = spec.get('$eq');
  if (!Array.isArray(pair) || pair.length !== 2) return;
  const [left, right] = pair as [Value, Value];
  const bound = readBound(left, right, scope, frame) ?? readBound(right, left, scope, frame);
  if (bound !== undefined) bounds.push(bound);
}

function readBound(
  field: Value,
  other: Value,
  scope: ExpressionScope,
  frame: Variables,
): Document | undefined {
  if (typeof field !== 'string' || !field.startsWith('$') || field.startsWith('$$'))
    return undefined;
  if (typeof other !== 'string' || !other.startsWith('$$')) return undefined;
  if (/^\$\$(ROOT|CURRENT)\b/.test(other)) return undefined;
  const value = scope.compile(other).evaluate(new Map(), frame);
  // an array may equal what the path gathers from several documents, which no equality finds
  if (isNullish(value) || Array.isArray(value)) return undefined;
  return toDocument({ [field.slice(1)]: toDocument({ $eq: value }) });
}
