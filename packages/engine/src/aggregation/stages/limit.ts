/** `$limit`, `$skip` and `$count`. */
import type { Document, Value } from '../../bson/value.ts';
import { PAUSE } from '../../lib/pause.ts';
import { locationError } from '../aggregation-error.ts';
import { describeValue, isNumeric, toInt64 } from '../expression/value-kind.ts';
import type { Source } from '../pipeline-context.ts';
import type { Stage, StageTable, StreamStage } from './stage.ts';

export interface CountedStage extends StreamStage {
  readonly name: '$limit' | '$skip';
  readonly count: number;
}

export function isCounted(
  stage: Stage | undefined,
  name: '$limit' | '$skip',
): stage is CountedStage {
  return stage?.name === name;
}

function readCount(spec: Value, name: string, code: number): number {
  const describe = `${name}: ${describeValue(spec)}`;
  if (!isNumeric(spec)) {
    throw locationError(
      code,
      `invalid argument to ${name} stage: Expected a number in: ${describe}`,
    );
  }
  const count = toInt64(spec);
  if (count === undefined) {
    throw locationError(
      code,
      `invalid argument to ${name} stage: Expected an integer: ${describe}`,
    );
  }
  if (count < 0n) {
    throw locationError(
      code,
      `invalid argument to ${name} stage: Expected a non-negative number in: ${describe}`,
    );
  }
  return Number(count);
}

function* take(source: Source, count: number): Source {
  let left = count;
  for (const document of source) {
    yield document;
    if (document !== PAUSE && --left === 0) return;
  }
}

function* drop(source: Source, count: number): Source {
  let left = count;
  for (const document of source) {
    if (document === PAUSE || left === 0) yield document;
    else left--;
  }
}

export function createLimit(count: number, spec: Value = count): CountedStage {
  return {
    kind: 'stream',
    name: '$limit',
    spec,
    count,
    use: { fields: new Set(), whole: false },
    run: (source) => take(source, count),
  };
}

function compileLimit(spec: Value): CountedStage {
  const count = readCount(spec, '$limit', 5107201);
  if (count === 0) throw locationError(15958, 'the limit must be positive');
  return createLimit(count, spec);
}

function compileSkip(spec: Value): CountedStage {
  const count = readCount(spec, '$skip', 5107200);
  return {
    kind: 'stream',
    name: '$skip',
    spec,
    count,
    use: { fields: new Set(), whole: false },
    run: (source) => drop(source, count),
  };
}

function* countAll(source: Source, field: string): Source {
  let count = 0;
  for (const document of source) {
    if (document === PAUSE) yield PAUSE;
    else count++;
  }
  if (count > 0) yield new Map<string, Value>([[field, count]]) satisfies Document;
}

function compileCount(spec: Value): StreamStage {
  if (typeof spec !== 'string') {
    throw locationError(40156, 'the count field must be a non-empty string');
  }
  if (spec === '') throw locationError(40157, 'the count field must be a non-empty string');
  if (spec.startsWith('$')) {
    throw locationError(40158, 'the count field cannot be a $-prefixed path');
  }
  if (spec.includes('\0')) throw locationError(40159, 'the count field cannot contain a null byte');
  if (spec.includes('.')) throw locationError(40160, "the count field cannot contain '.'");
  return {
    kind: 'stream',
    name: '$count',
    spec,
    use: { fields: new Set(), whole: false },
    reshapes: true,
    run: (source) => countAll(source, spec),
  };
}

export const limitStages: StageTable = {
  $count: compileCount,
  $limit: compileLimit,
  $skip: compileSkip,
};
