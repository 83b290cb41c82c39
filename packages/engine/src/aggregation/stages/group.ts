/** `$group`, `$sortByCount`, `$bucket`. */

import { hashableKey } from '../../bson/compare.ts';
import { type Document, isInt32, type Value } from '../../bson/value.ts';
import { PAUSE } from '../../lib/pause.ts';
import { type AccumulatorPlan, compileAccumulator } from '../accumulator.ts';
import type { Accumulator } from '../accumulator-state.ts';
import { locationError } from '../aggregation-error.ts';
import type { Evaluator, FieldUse, Variables } from '../expression/operator.ts';
import type { ExpressionScope } from '../expression.ts';
import type { Source } from '../pipeline-context.ts';
import type { StageContext, StreamStage } from './stage.ts';

export interface OutputField {
  readonly field: string;
  readonly plan: AccumulatorPlan;
}

/** One output field of `$group`: `{<accumulator>: <argument>}`. */
export function compileOutputField(
  field: string,
  spec: Value,
  scope: ExpressionScope,
): OutputField {
  if (!(spec instanceof Map)) {
    throw locationError(40234, `The field '${field}' must be an accumulator object`);
  }
  if (field.includes('.')) {
    throw locationError(40235, `The field name '${field}' cannot contain '.'`);
  }
  if (field.startsWith('$')) {
    throw locationError(40236, `The field name '${field}' cannot be an operator name`);
  }
  if (spec.size !== 1) {
    throw locationError(40238, `The field '${field}' must specify one accumulator`);
  }
  const [name, argument] = [...spec][0] as [string, Value];
  const plan = name.startsWith('$') ? compileAccumulator(name, argument, scope) : undefined;
  if (plan === undefined) {
    if (!name.startsWith('$')) {
      throw locationError(40234, `The field '${field}' must be an accumulator object`);
    }
    throw locationError(15952, `unknown group operator '${name}'`);
  }
  return { field, plan };
}

interface Group {
  readonly id: Value;
  readonly accumulators: readonly Accumulator[];
}

/** Other numeric types have to meet an int's key where they are equal to it. */
function wholeOrKey(key: string): string | number {
  const number = key.startsWith('n') ? Number(key.slice(1)) : Number.NaN;
  return isInt32(number) ? number : key;
}

const NO_GROUP: Document = new Map();

/** Documents gathered by key; each group's accumulators take what their arguments give. */
export class Grouping {
  private readonly groups = new Map<string | number, Group>();
  private readonly outputs: readonly OutputField[];
  private readonly arguments: readonly Evaluator[];
  private readonly frame: Variables;
  private readonly collation: StageContext['collation'];

  constructor(outputs: readonly OutputField[], context: StageContext) {
    this.outputs = outputs;
    this.arguments = outputs.map(({ plan }) => plan.argument.evaluate);
    this.frame = context.frame;
    this.collation = context.collation;
  }

  add(id: Value, document: Document): void {
    // an int is its own key: no text to build
    const key =
      typeof id === 'number' && isInt32(id) ? id : wholeOrKey(hashableKey(id, this.collation));
    let group = this.groups.get(key);
    if (group === undefined) group = this.open(id, key);
    const { accumulators } = group;
    for (let i = 0; i < accumulators.length; i++) {
      const value = (this.arguments[i] as Evaluator)(document, this.frame);
      (accumulators[i] as Accumulator).add(value);
    }
  }

  private open(id: Value, key: string | number): Group {
    const root = id instanceof Map ? id : NO_GROUP;
    const group: Group = {
      id,
      accumulators: this.outputs.map(({ plan }) => plan.create(root, this.frame)),
    };
    this.groups.set(key, group);
    return group;
  }

  *results(): Generator<Document> {
    for (const { id, accumulators } of this.groups.values()) {
      const document: Document = new Map([['_id', id]]);
      for (let i = 0; i < accumulators.length; i++) {
        const { field } = this.outputs[i] as OutputField;
        document.set(field, (accumulators[i] as Accumulator).result() ?? null);
      }
      yield document;
    }
  }
}

function* groupAll(
  source: Source,
  idOf: Evaluator,
  outputs: readonly OutputField[],
  context: StageContext,
): Source {
  const grouping = new Grouping(outputs, context);
  const { frame } = context;
  for (const document of source) {
    if (document === PAUSE) yield PAUSE;
    else grouping.add(idOf(document, frame) ?? null, document);
  }
  yield* grouping.results();
}

export function compileGroup(spec: Value, context: StageContext): StreamStage {
  if (!(spec instanceof Map)) {
    throw locationError(15947, "a group's fields must be specified in an object");
  }
  const use: FieldUse = { fields: new Set(), whole: false };
  const scope = context.scope.withUse(use);
  let idOf: Evaluator | undefined;
  const outputs: OutputField[] = [];
  for (const [field, value] of spec) {
    if (field === '_id') idOf = scope.compile(value).evaluate;
    else outputs.push(compileOutputField(field, value, scope));
  }
  if (idOf === undefined) {
    throw locationError(15955, 'a group specification must include an _id');
  }
  const evaluate = idOf;
  return {
    kind: 'stream',
    name: '$group',
    spec,
    use,
    reshapes: true,
    run: (source) => groupAll(source, evaluate, outputs, context),
  };
}
