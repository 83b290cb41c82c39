/** The kinds of generated cases, each asked in batches over documents of its own. */
import fc from 'fast-check';
import { arbitraryIndex } from './arbitrary-index.ts';
import { arbitraryExpression, arbitraryPipeline } from './arbitrary-pipeline.ts';
import {
  arbitraryDocument,
  arbitraryFilter,
  arbitraryPlainDocument,
  arbitraryProjection,
  arbitrarySort,
  arbitrarySortable,
  type DriverDocument,
} from './arbitrary-query.ts';
import { arbitraryUpdate } from './arbitrary-update.ts';
import { type Answer, type CaseRunner, write } from './case-runner.ts';

/** Draws values that depend on the seed alone. */
export type Draw = <T>(arbitrary: fc.Arbitrary<T>, count: number) => T[];

export interface Batch {
  /** Each case as text, to be read by people and by the table of differences. */
  readonly cases: readonly string[];
  /** The documents they were asked over. */
  readonly documents: readonly DriverDocument[];
  ask(runner: CaseRunner): Promise<readonly Answer[]>;
}

export interface CaseKind {
  readonly name: string;
  /** Of 100 cases. */
  readonly share: number;
  readonly batchSize: number;
  draw(draw: Draw, count: number): Batch;
}

const COLLECTION = 'cases';
const DOCUMENTS = 24;

/** Cases that are asked by pipelines over the same documents. */
function pipelineKind<T>(
  name: string,
  share: number,
  arbitrary: fc.Arbitrary<T>,
  toPipeline: (one: T) => DriverDocument[],
  document: fc.Arbitrary<DriverDocument> = arbitraryDocument,
): CaseKind {
  return {
    name,
    share,
    batchSize: 100,
    draw(draw, count) {
      const documents = draw(document, DOCUMENTS);
      const cases = draw(arbitrary, count);
      return {
        documents,
        cases: cases.map(write),
        async ask(runner) {
          await runner.fill(COLLECTION, documents);
          return runner.pipelines(COLLECTION, cases.map(toPipeline));
        },
      };
    },
  };
}

const ids = { $group: { _id: null, ids: { $push: '$_id' } } };
const inOrder = { $sort: { _id: 1 } };

export const CASE_KINDS: readonly CaseKind[] = [
  {
    name: 'documents are kept as they are',
    share: 10,
    batchSize: 400,
    draw(draw, count) {
      const documents = draw(arbitraryDocument, count);
      return {
        documents: [],
        cases: documents.map(write),
        async ask(runner) {
          await runner.fill(COLLECTION, documents);
          return runner.stored(COLLECTION);
        },
      };
    },
  },
  pipelineKind('filters', 30, arbitraryFilter, ($match) => [{ $match }, inOrder, ids]),
  {
    name: 'filters by find',
    share: 4,
    batchSize: 20,
    draw(draw, count) {
      const documents = draw(arbitraryDocument, DOCUMENTS);
      const filters = draw(arbitraryFilter, count);
      return {
        documents,
        cases: filters.map(write),
        async ask(runner) {
          await runner.fill(COLLECTION, documents);
          const commands = filters.map((filter) => ({
            filter,
            sort: { _id: 1 },
            projection: { _id: 1 },
          }));
          return runner.finds(COLLECTION, commands);
        },
      };
    },
  },
  pipelineKind('sorts', 12, arbitrarySort, ($sort) => [{ $sort }, ids], arbitrarySortable),
  {
    name: 'projections by find',
    share: 8,
    batchSize: 20,
    draw(draw, count) {
      const documents = draw(arbitraryDocument, 12);
      const projections = draw(arbitraryProjection, count);
      return {
        documents,
        cases: projections.map(write),
        async ask(runner) {
          await runner.fill(COLLECTION, documents);
          const commands = projections.map((projection) => ({
            filter: {},
            sort: { _id: 1 },
            projection,
          }));
          return runner.finds(COLLECTION, commands);
        },
      };
    },
  },
  {
    name: 'updates',
    share: 22,
    batchSize: 100,
    draw(draw, count) {
      const cases = draw(arbitraryUpdate, count);
      return {
        documents: [],
        cases: cases.map(write),
        ask: (runner) => runner.updates(COLLECTION, cases),
      };
    },
  },
  pipelineKind(
    'expressions',
    7,
    arbitraryExpression,
    (x) => [inOrder, { $limit: 6 }, { $project: { x } }],
    arbitraryPlainDocument,
  ),
  pipelineKind('pipelines', 5, arbitraryPipeline, (stages) => stages, arbitraryPlainDocument),
  {
    name: 'index definitions',
    share: 2,
    batchSize: 20,
    draw(draw, count) {
      const documents = draw(arbitraryDocument, 25);
      const cases = draw(arbitraryIndex, count);
      return {
        documents,
        cases: cases.map(write),
        async ask(runner) {
          await runner.fill(COLLECTION, documents);
          const answers: Answer[] = [];
          for (const one of cases) answers.push(await runner.index(COLLECTION, one));
          return answers;
        },
      };
    },
  },
];

/** @param seed - of the whole run; each batch has its own by its number */
export function drawWith(seed: number): Draw {
  let drawn = 0;
  return (arbitrary, numRuns) => {
    drawn += 1;
    return fc.sample(arbitrary, { seed: seed + drawn, numRuns });
  };
}
