/** The functions of `$setWindowFields`: each gives one value for every document of a partition. */

import type { Value } from '../../bson/value.ts';
import { failedToParse } from '../aggregation-error.ts';
import { typeName } from '../expression/value-kind.ts';
import type { ExpressionScope } from '../expression.ts';
import type { SortPart } from '../sort-key.ts';
import type { StageContext } from './stage.ts';
import { compileAccumulated, compileCovariance } from './window-accumulation.ts';
import { compileDerivative, compileExpMovingAverage, compileIntegral } from './window-calculus.ts';
import { compileLinearFill, compileLocf, compileRank, compileShift } from './window-place.ts';
import type { FunctionSpec, WindowFunction } from './window-spec.ts';

/** The function of one output field: `{<function>: <argument>, window: <window>}`. */
export function compileWindowFunction(
  spec: Value,
  sort: readonly SortPart[],
  scope: ExpressionScope,
  context: StageContext,
): WindowFunction {
  if (!(spec instanceof Map)) {
    throw failedToParse(
      `The field of the window function must be an object, found ${typeName(spec)}`,
    );
  }
  let found: { name: string; argument: Value } | undefined;
  for (const [name, argument] of spec) {
    if (name === 'window') continue;
    if (!name.startsWith('$')) {
      throw failedToParse(`Window function found an unknown argument: ${name}`);
    }
    if (found !== undefined) {
      throw failedToParse(
        `Cannot specify two functions in window function spec: ${found.name} and ${name}`,
      );
    }
    found = { name, argument };
  }
  if (found === undefined) throw failedToParse('Expected a $-prefixed window function');
  const functionSpec: FunctionSpec = {
    ...found,
    windowSpec: spec.get('window'),
    sort,
    scope,
    context,
  };
  return (SPECIAL.get(found.name) ?? compileAccumulated)(functionSpec);
}

// ---------------------------------------------------------------- accumulators

// ---------------------------------------------------------------- covariance

// ---------------------------------------------------------------- slopes and areas

// ---------------------------------------------------------------- moving average

// ---------------------------------------------------------------- ranks

// ---------------------------------------------------------------- shift and fill

const SPECIAL: ReadonlyMap<string, (spec: FunctionSpec) => WindowFunction> = new Map([
  ['$covariancePop', compileCovariance],
  ['$covarianceSamp', compileCovariance],
  ['$denseRank', compileRank],
  ['$derivative', compileDerivative],
  ['$documentNumber', compileRank],
  ['$expMovingAvg', compileExpMovingAverage],
  ['$integral', compileIntegral],
  ['$linearFill', compileLinearFill],
  ['$locf', compileLocf],
  ['$rank', compileRank],
  ['$shift', compileShift],
]);
