import { describe, expect, it } from 'vitest';
import { DateTime } from '../bson/value.ts';
import type { MergeTarget } from './output-target.ts';
import { compilePipeline } from './pipeline.ts';
import { type Plain, toDocumentOf, toPlain, toValue } from './plain-value.ts';
import { createUpdatePipelineCompiler } from './update-pipeline.ts';

function outputOf(stage: Plain) {
  return compilePipeline([toValue(stage)], {
    database: 'test',
    collection: 'input',
    now: new DateTime(0),
    find: () => [],
  }).output;
}

function mergeTarget(spec: Plain): MergeTarget {
  const output = outputOf({ $merge: spec });
  if (output?.kind !== 'merge') throw new Error('no $merge');
  return output;
}

const doc = toDocumentOf;

describe('$out', () => {
  it('names a collection of this or another database', () => {
    expect(outputOf({ $out: 'x' })).toMatchObject({
      namespace: { database: 'test', collection: 'x' },
    });
    expect(outputOf({ $out: { db: 'd', coll: 'c' } })).toMatchObject({
      namespace: { database: 'd', collection: 'c' },
    });
  });
});

describe('$merge', () => {
  const existing = doc({ _id: 1, a: 1, b: 1 });
  const incoming = doc({ _id: 1, b: 2 });

  it.each([
    ['merge', { _id: 1, a: 1, b: 2 }],
    ['replace', { _id: 1, b: 2 }],
    ['keepExisting', undefined],
    [[{ $set: { a: { $add: ['$a', '$$new.b'] } } }], { _id: 1, a: 3, b: 1 }],
  ])('stores over a match by %j', (whenMatched, expected) => {
    const target = mergeTarget({ into: 'x', whenMatched });
    expect(toPlain(target.merge(existing, incoming))).toEqual(expected);
  });

  it('fails on a match or on none when it is told to', () => {
    const target = mergeTarget({ into: 'x', whenMatched: 'fail', whenNotMatched: 'fail' });
    expect(() => target.merge(existing, incoming)).toThrow();
    expect(() => target.insert(incoming)).toThrow(/could not find a matching document/);
  });

  it('takes its keys from the `on` fields and refuses documents without them', () => {
    const target = mergeTarget({ into: 'x', on: ['a.b', 'c'] });
    expect(toPlain(target.key(doc({ a: { b: 1 }, c: 2 })))).toEqual({ 'a.b': 1, c: 2 });
    expect(() => target.key(doc({ c: 2 }))).toThrow(/cannot be missing/);
  });

  it('gives `let` variables to its pipeline', () => {
    const target = mergeTarget({
      into: 'x',
      let: { plus: '$b' },
      whenMatched: [{ $set: { b: { $add: ['$b', '$$plus'] } } }],
    });
    expect(toPlain(target.merge(existing, incoming))).toEqual({ _id: 1, a: 1, b: 3 });
  });
});

describe('update pipelines', () => {
  const compile = createUpdatePipelineCompiler({ now: new DateTime(0) });

  it('set, unset and replace', () => {
    const stages = [{ $set: { c: { $add: ['$a', '$$n'] } } }, { $unset: 'a' }];
    const update = compile(stages.map(toValue), new Map([['n', 5]]));
    expect(toPlain(update(doc({ _id: 1, a: 1 })))).toEqual({ _id: 1, c: 6 });
    const replace = compile([toValue({ $replaceWith: { x: '$a' } })]);
    expect(toPlain(replace(doc({ a: 1 })))).toEqual({ x: 1 });
  });

  it('refuse other stages', () => {
    expect(() => compile([toValue({ $match: {} })])).toThrow(
      '$match is not allowed to be used within an update',
    );
  });
});
