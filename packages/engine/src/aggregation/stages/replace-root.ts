/** `$replaceRoot` and `$replaceWith`. */
import type { Value } from '../../bson/value.ts';
import { locationError } from '../aggregation-error.ts';
import type { FieldUse } from '../expression/operator.ts';
import { describeValue, typeName } from '../expression/value-kind.ts';
import { keepMetadata } from '../metadata.ts';
import type { StageContext, StageTable, TransformStage } from './stage.ts';

function compileReplacement(
  expression: Value,
  spec: Value,
  context: StageContext,
  name: string,
): TransformStage {
  const use: FieldUse = { fields: new Set(), whole: false };
  const { evaluate } = context.scope.withUse(use).compile(expression);
  const { frame } = context;
  const subject = name === '$replaceRoot' ? "'newRoot' expression " : "'replacement document' ";
  return {
    kind: 'transform',
    name,
    spec,
    use,
    reshapes: true,
    transform(document) {
      const root = evaluate(document, frame);
      if (root instanceof Map) return keepMetadata(document, root);
      throw locationError(
        40228,
        `${subject} must evaluate to an object, but resulting value was: ${describeValue(root)}. Type of resulting value: '${typeName(root)}'. Input document: ${describeValue(document)}`,
      );
    },
  };
}

function compileReplaceRoot(spec: Value, context: StageContext, name: string): TransformStage {
  if (!(spec instanceof Map)) {
    throw locationError(
      40229,
      `expected an object as specification for ${name} stage, got ${typeName(spec)}`,
    );
  }
  for (const field of spec.keys()) {
    if (field !== 'newRoot') {
      throw locationError(40415, `BSON field '$replaceRoot.${field}' is an unknown field.`);
    }
  }
  const root = spec.get('newRoot');
  if (root === undefined) {
    throw locationError(40414, "BSON field '$replaceRoot.newRoot' is missing but a required field");
  }
  return compileReplacement(root, spec, context, name);
}

export const replaceRootStages: StageTable = {
  $replaceRoot: compileReplaceRoot,
  $replaceWith: (spec, context, name) => compileReplacement(spec, spec, context, name),
};
