/**
 * The drivers' specification tests against the engine, through the Node driver. The folder of the
 * files is named by DRIVER_SPECS (the `test` folder of PyMongo's source distribution has them).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, it } from 'vitest';
import {
  buildEngineProcess,
  type EngineProcess,
  startEngineProcess,
} from '../../packages/engine/test/support/engine-process.ts';
import { differenceOf } from './known-differences.ts';
import { runSpecTest } from './run-test.ts';
import { meetsAny, readSpecFiles, type ServerFacts, type SpecFile } from './spec-file.ts';

/** Folders that are about something else: other servers, encryption, the format itself. */
const OTHER_SUBJECTS =
  /^(client-side-encryption|data_lake|load_balancer|unified-test-format\/(invalid|valid-fail)|auth)\//;

const folder = process.env['DRIVER_SPECS'];
const files = (folder === undefined ? [] : readSpecFiles(folder)).filter(
  ({ path }) => !OTHER_SUBJECTS.test(path),
);

/** What the engine says of itself; tests are chosen before it runs. */
const FACTS: ServerFacts = {
  version: '8.0.0',
  topology: 'replicaset',
  parameters: { enableTestCommands: true, requireApiVersion: false },
};

describe.skipIf(folder === undefined)('specification tests of the drivers', () => {
  let dataPath: string;
  let engine: EngineProcess;
  let own: MongoClient;

  beforeAll(async () => {
    dataPath = await mkdtemp(join(tmpdir(), 'quorate-driver-specs-'));
    await buildEngineProcess();
    engine = await startEngineProcess(dataPath);
    own = await new MongoClient(engine.uri).connect();
  });

  afterAll(async () => {
    await own?.close();
    await engine?.kill();
    await rm(dataPath, { recursive: true, force: true });
  });

  for (const file of files) describe(file.path, () => declare(file));

  function declare(file: SpecFile): void {
    const fits = meetsAny(file.runOnRequirements, FACTS);
    for (const test of file.tests) {
      const reason =
        test.skipReason ??
        (fits && meetsAny(test.runOnRequirements, FACTS) ? undefined : 'for other servers') ??
        differenceOf(file, test);
      if (reason === undefined) {
        it(test.description, () => runSpecTest(file, test, { uri: engine.uri, own }));
      } else it.skip(`${test.description} (${reason})`, () => {});
    }
  }
});
