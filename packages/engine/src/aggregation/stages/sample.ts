/** `$sample`: documents drawn at random without replacement. */
import type { Document, Value } from '../../bson/value.ts';
import { PAUSE } from '../../lib/pause.ts';
import { locationError } from '../aggregation-error.ts';
import { isNumeric, toJsNumber } from '../expression/value-kind.ts';
import type { Source } from '../pipeline-context.ts';
import type { StageContext, StreamStage } from './stage.ts';

function readSize(spec: Value): number {
  if (!(spec instanceof Map)) {
    throw locationError(28745, 'the $sample stage specification must be an object');
  }
  for (const name of spec.keys()) {
    if (name !== 'size') throw locationError(28748, `unrecognized option to $sample: ${name}`);
  }
  const size = spec.get('size');
  if (size === undefined) throw locationError(28749, '$sample stage must specify a size');
  if (!isNumeric(size)) throw locationError(28746, 'size argument to $sample must be a number');
  const count = Math.trunc(toJsNumber(size));
  if (!(count > 0))
    throw locationError(28747, 'size argument to $sample must be a positive integer');
  return count;
}

/** Reservoir sampling, then a shuffle: every choice and order is equally likely. */
function* sample(source: Source, size: number, random: () => number): Source {
  const chosen: Document[] = [];
  let seen = 0;
  for (const document of source) {
    if (document === PAUSE) {
      yield PAUSE;
      continue;
    }
    seen++;
    if (chosen.length < size) {
      chosen.push(document);
    } else {
      const place = Math.floor(random() * seen);
      if (place < size) chosen[place] = document;
    }
  }
  for (let i = chosen.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [chosen[i], chosen[j]] = [chosen[j] as Document, chosen[i] as Document];
  }
  yield* chosen;
}

export function compileSample(spec: Value, context: StageContext): StreamStage {
  const size = readSize(spec);
  const random = context.scope.runtime.random ?? Math.random;
  return {
    kind: 'stream',
    name: '$sample',
    spec,
    use: { fields: new Set(), whole: false },
    run: (source) => sample(source, size, random),
  };
}
