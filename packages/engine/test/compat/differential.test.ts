import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestEngine, type TestEngine } from '../support/engine.ts';
import { CASE_KINDS, type CaseKind, drawWith } from './case-kind.ts';
import { type Answer, CaseRunner, write } from './case-runner.ts';
import { type Compared, DIFFERENCES, isSame } from './differences.ts';
import { SECOND_DATABASE, type SecondDatabase, startSecondDatabase } from './second-database.ts';

const CASES = Number(process.env['DIFFERENTIAL_CASES'] ?? 20_000);
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 20_261_128);
/** Draws a batch may make before its seeds meet those of the next. */
const SEEDS_PER_BATCH = 16;
const SEEDS_PER_KIND = 1_000_000;
const SHOWN = 5;

const title = `the engine and SecantusDB (${CASES} cases, DIFFERENTIAL_SEED=${SEED})`;

describe.skipIf(SECOND_DATABASE === undefined)(
  SECOND_DATABASE === undefined ? `${title}: SECANTUS names no program` : title,
  () => {
    let engine: TestEngine;
    let second: SecondDatabase;
    let secondClient: MongoClient;
    let runners: readonly [CaseRunner, CaseRunner];

    beforeAll(async () => {
      engine = await createTestEngine();
      second = await startSecondDatabase();
      secondClient = await MongoClient.connect(second.uri);
      runners = [
        new CaseRunner(engine.client.db('differential')),
        new CaseRunner(secondClient.db('differential')),
      ];
    }, 120_000);
    afterAll(async () => {
      await secondClient?.close();
      await second?.close();
      await engine?.close();
    });

    /** Both are asked at once: they are processes of their own. */
    async function compare(kind: CaseKind, batch: ReturnType<CaseKind['draw']>) {
      const [ours, theirs] = (await Promise.all(runners.map((runner) => batch.ask(runner)))) as [
        readonly Answer[],
        readonly Answer[],
      ];
      expect(ours).toHaveLength(batch.cases.length);
      expect(theirs).toHaveLength(batch.cases.length);
      return batch.cases.map(
        (text, i): Compared => ({
          kind: kind.name,
          text,
          engine: ours[i] as Answer,
          second: theirs[i] as Answer,
        }),
      );
    }

    it.each(CASE_KINDS.map((kind, number) => ({ kind, number, name: kind.name })))(
      'answer the same, or differ as is listed: $name',
      async ({ kind, number }) => {
        const total = Math.ceil((CASES * kind.share) / 100);
        const unexplained: object[] = [];
        let answered = 0;
        for (let first = 0, batch = 0; first < total; first += kind.batchSize, batch += 1) {
          const seed = SEED + number * SEEDS_PER_KIND + batch * SEEDS_PER_BATCH;
          const drawn = kind.draw(drawWith(seed), Math.min(kind.batchSize, total - first));
          for (const compared of await compare(kind, drawn)) {
            if (!compared.engine.startsWith('error')) answered += 1;
            if (isSame(compared) || DIFFERENCES.some((known) => known.applies(compared))) continue;
            unexplained.push({ ...compared, seed, documents: drawn.documents.map(write) });
          }
        }
        expect(unexplained.slice(0, SHOWN), `${unexplained.length} of ${total}`).toEqual([]);
        // a generator of nothing but refusals would prove nothing
        expect(answered).toBeGreaterThan(total / 4);
      },
      600_000,
    );

    it('lists differences with the page of the manual that decides each', () => {
      for (const { page } of DIFFERENCES) {
        expect(page).toMatch(/^https:\/\/www\.mongodb\.com\/docs\/manual\/[-a-z/A-Z.]+\/$/);
      }
    });
  },
);
