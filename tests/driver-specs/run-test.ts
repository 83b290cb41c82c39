/** Runs one test of the unified test format against a server. */
import type { MongoClient } from 'mongodb';
import { BUCKET_OPERATIONS } from './bucket-operations.ts';
import { Entities } from './entities.ts';
import { checkError, checkEvents, checkLog } from './expectations.ts';
import { match } from './match.ts';
import { type Call, OPERATIONS, type Operation } from './operations.ts';
import { createRunnerOperations } from './runner-operations.ts';
import type { CollectionData, Fields, SpecFile, SpecOperation, SpecTest } from './spec-file.ts';

/** @throws when the driver and the server together do not behave as the test expects */
export async function runSpecTest(
  file: SpecFile,
  test: SpecTest,
  server: { readonly uri: string; readonly own: MongoClient },
): Promise<void> {
  const { own, uri } = server;
  await own.db('admin').command({ killAllSessions: [] });
  for (const data of file.initialData ?? []) await prepare(own, data);
  const entities = new Entities(uri);
  const failPoints = new Set<string>();
  try {
    await entities.create(file.createEntities ?? []);
    const runnerOperations = createRunnerOperations({ own, failPoints });
    const run = (operation: SpecOperation): Promise<unknown> =>
      runOperation(operation, { entities, runnerOperations, run });
    for (const operation of test.operations) await run(operation);
    const clients = entities.clients();
    for (const client of clients.values()) client.stopRecording();
    for (const expected of test.expectEvents ?? []) {
      checkEvents(expected, entities.client(expected.client), entities);
    }
    for (const expected of test.expectLogMessages ?? []) {
      checkLog(expected, entities.client(expected.client), entities);
    }
    for (const expected of test.outcome ?? []) await checkOutcome(own, expected, entities);
  } finally {
    for (const name of failPoints) {
      await own.db('admin').command({ configureFailPoint: name, mode: 'off' });
    }
    // sessions of a failed test would hold up the clients' end
    await own.db('admin').command({ killAllSessions: [] });
    await entities.close();
  }
}

async function prepare(own: MongoClient, data: CollectionData): Promise<void> {
  const writeConcern = { w: 'majority' } as const;
  const db = own.db(data.databaseName);
  const collection = db.collection<Fields>(data.collectionName, { writeConcern });
  await collection.drop();
  const documents = data.documents ?? [];
  if (data.createOptions !== undefined || documents.length === 0) {
    await db.createCollection(data.collectionName, { ...data.createOptions, writeConcern });
  }
  if (documents.length > 0) await collection.insertMany([...documents]);
}

interface Surroundings {
  readonly entities: Entities;
  readonly runnerOperations: Readonly<Record<string, Operation>>;
  readonly run: (operation: SpecOperation) => Promise<unknown>;
}

/** @returns the error that was expected, if there was one */
async function runOperation(operation: SpecOperation, around: Surroundings): Promise<unknown> {
  const { entities } = around;
  const args = { ...operation.arguments };
  if (typeof args['session'] === 'string') args['session'] = entities.session(args['session']);
  const preference = args['readPreference'] as { mode?: string } | undefined;
  if (preference?.mode !== undefined) {
    // some files write it with a capital
    const mode = preference.mode.charAt(0).toLowerCase() + preference.mode.slice(1);
    args['readPreference'] = { ...preference, mode };
  }
  const call: Call = {
    entities,
    object: operation.object,
    args,
    runNested: async (nested, failure) => {
      const error = await around.run(nested);
      if (error !== undefined && failure === 'passed on') throw error;
    },
  };
  const perform = lookUp(operation, around);
  let result: unknown;
  try {
    result = await perform(call);
  } catch (error) {
    if (operation.ignoreResultAndError === true) return error;
    if (operation.expectError === undefined) throw error;
    checkError(error, operation.expectError, entities);
    return error;
  }
  if (operation.expectError !== undefined) {
    throw new Error(
      `${operation.name} should have failed with ${JSON.stringify(operation.expectError)}`,
    );
  }
  if (operation.expectResult !== undefined) {
    match(operation.expectResult, result, entities, `result of ${operation.name}`);
  }
  if (operation.saveResultAsEntity !== undefined) {
    entities.set(operation.saveResultAsEntity, result);
  }
  return undefined;
}

function lookUp(operation: SpecOperation, { runnerOperations }: Surroundings): Operation {
  const table =
    operation.object === 'testRunner' ? runnerOperations : { ...OPERATIONS, ...BUCKET_OPERATIONS };
  const found = table[operation.name];
  if (found === undefined) throw new Error(`the driver has no operation ${operation.name}`);
  return found;
}

async function checkOutcome(
  own: MongoClient,
  expected: CollectionData,
  entities: Entities,
): Promise<void> {
  const found = await own
    .db(expected.databaseName)
    .collection(expected.collectionName)
    .find({}, { sort: { _id: 1 }, readConcern: 'local' })
    .toArray();
  const wanted = expected.documents ?? [];
  if (found.length !== wanted.length) throw new Error(`${found.length} documents in the end`);
  for (const [i, document] of wanted.entries()) {
    match(document, found[i], entities, `document ${i} in the end`, 'nowhere');
  }
}
