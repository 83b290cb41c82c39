/** `$redact`: keeps, prunes or descends, document by nested document. */
import type { Document, Value } from '../../bson/value.ts';
import { locationError } from '../aggregation-error.ts';
import type { Binding } from '../expression/operator.ts';
import { describeValue } from '../expression/value-kind.ts';
import { keepMetadata } from '../metadata.ts';
import type { StageContext, TransformStage } from './stage.ts';

const KEEP: Value = new Map<string, Value>([['$redact', 'keep']]);
const PRUNE: Value = new Map<string, Value>([['$redact', 'prune']]);
const DESCEND: Value = new Map<string, Value>([['$redact', 'descend']]);

export function compileRedact(spec: Value, context: StageContext): TransformStage {
  const current = context.scope.withUse({ fields: new Set(), whole: true }).bind('CURRENT');
  const decisions = new Map<string, Binding>([
    ['KEEP', { kind: 'constant', value: KEEP }],
    ['PRUNE', { kind: 'constant', value: PRUNE }],
    ['DESCEND', { kind: 'constant', value: DESCEND }],
  ]);
  const { evaluate } = current.scope.with(decisions).compile(spec);
  const { frame } = context;

  function redact(document: Document, root: Document): Document | undefined {
    frame[current.slot] = document;
    const decision = evaluate(root, frame);
    if (decision === KEEP) return document;
    if (decision === PRUNE) return undefined;
    if (decision !== DESCEND) {
      throw locationError(
        17053,
        `$redact's expression should not return anything aside from the variables $$KEEP, $$DESCEND, and $$PRUNE, but returned ${describeValue(decision)}`,
      );
    }
    const result: Document = new Map();
    for (const [name, value] of document) {
      const kept = redactValue(value, root);
      if (kept !== undefined) result.set(name, kept);
    }
    return result;
  }

  function redactValue(value: Value, root: Document): Value | undefined {
    if (value instanceof Map) return redact(value, root);
    if (!Array.isArray(value)) return value;
    return value.map((item) => redactValue(item, root)).filter((item) => item !== undefined);
  }

  return {
    kind: 'transform',
    name: '$redact',
    spec,
    transform(document) {
      const result = redact(document, document);
      return result === undefined ? undefined : keepMetadata(document, result);
    },
  };
}
