/** Operations on the test runner itself: fail points, waits and assertions. */
import type { MongoClient } from 'mongodb';
import type { DriverInternals } from './entities.ts';
import { matchEvent } from './match.ts';
import type { Call, Operation } from './operations.ts';
import type { RecordedClient } from './recorded-client.ts';
import type { Fields, SpecOperation } from './spec-file.ts';

/** What operations of the test runner may use besides the entities. */
export interface RunnerParts {
  readonly own: MongoClient;
  /** Fail points switched on so far; switched off after the test. */
  readonly failPoints: Set<string>;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const WAIT_LIMIT_MS = 10_000;

function assert(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

const client = ({ entities, args }: Call): RecordedClient => entities.client(args['client']);

interface SessionInternals {
  readonly serverSession: { readonly isDirty: boolean };
  readonly isPinned: boolean;
  readonly transaction: { readonly state: string };
}

const session = ({ args }: Call): SessionInternals => args['session'] as SessionInternals;

const TRANSACTION_STATES: Record<string, string> = {
  none: 'NO_TRANSACTION',
  starting: 'STARTING_TRANSACTION',
  in_progress: 'TRANSACTION_IN_PROGRESS',
  committed: 'TRANSACTION_COMMITTED',
  aborted: 'TRANSACTION_ABORTED',
};

function countEvents(call: Call): number {
  const [entry] = Object.entries(call.args['event'] as Record<string, Fields>);
  if (entry === undefined) throw new Error('no event named');
  const [name, wanted] = entry;
  return client(call).events.filter((event) => {
    if (event.name !== name) return false;
    try {
      matchEvent(wanted, event.event, call.entities);
      return true;
    } catch {
      return false;
    }
  }).length;
}

function lastLsids(call: Call): [string, string] {
  const started = client(call).events.filter(({ name }) => name === 'commandStartedEvent');
  const [before, last] = started.slice(-2).map(({ event }) => {
    const lsid = (event['command'] as Fields)['lsid'] as { id: { toString(how: 'hex'): string } };
    return lsid.id.toString('hex');
  });
  if (before === undefined || last === undefined) throw new Error('fewer than two commands');
  return [before, last];
}

async function hasCollection({ own }: RunnerParts, args: Fields): Promise<boolean> {
  const names = await own
    .db(String(args['databaseName']))
    .listCollections({ name: args['collectionName'] }, { nameOnly: true })
    .toArray();
  return names.length > 0;
}

async function hasIndex({ own }: RunnerParts, args: Fields): Promise<boolean> {
  const collection = own
    .db(String(args['databaseName']))
    .collection(String(args['collectionName']));
  const indexes = await collection
    .listIndexes()
    .toArray()
    .catch((error: { code?: number }) => {
      if (error.code === 26) return [];
      throw error;
    });
  return indexes.some(({ name }) => name === args['indexName']);
}

/** Operations by name, for one test. */
export function createRunnerOperations(parts: RunnerParts): Readonly<Record<string, Operation>> {
  return {
    failPoint: async (call) => {
      const failPoint = call.args['failPoint'] as Fields;
      await client(call).client.db('admin').command(failPoint, { readPreference: 'primary' });
      parts.failPoints.add(String(failPoint['configureFailPoint']));
    },
    createEntities: async ({ entities, args }) =>
      entities.create(args['entities'] as Record<string, Fields>[]),
    wait: async ({ args }) => pause(Number(args['ms'])),
    waitForEvent: async (call) => {
      const deadline = Date.now() + WAIT_LIMIT_MS;
      while (countEvents(call) < Number(call.args['count'])) {
        assert(Date.now() < deadline, `no such event: ${JSON.stringify(call.args['event'])}`);
        await pause(5);
      }
    },
    assertEventCount: async (call) => {
      const count = countEvents(call);
      assert(
        count === Number(call.args['count']),
        `${count} events ${JSON.stringify(call.args['event'])} instead of ${call.args['count']}`,
      );
    },
    runOnThread: async (call) => {
      const operation = call.args['operation'] as SpecOperation;
      call.entities.thread(call.args['thread']).run(() => call.runNested(operation, 'ends'));
    },
    waitForThread: async ({ entities, args }) => entities.thread(args['thread']).finish(),
    recordTopologyDescription: async (call) => {
      const internals = client(call).client as unknown as DriverInternals;
      call.entities.set(String(call.args['id']), internals.topology?.description);
    },
    assertTopologyType: async ({ entities, args }) => {
      const { type } = entities.get(String(args['topologyDescription'])) as { type: string };
      assert(type === args['topologyType'], `the topology is of type ${type}`);
    },
    assertNumberConnectionsCheckedOut: async (call) => {
      const { topology } = client(call).client as unknown as DriverInternals;
      await pause(0);
      const counts = [...(topology?.s.servers.values() ?? [])].map(
        (server) => server.pool.currentCheckedOutCount,
      );
      const sum = counts.reduce((total, count) => total + count, 0);
      assert(sum === Number(call.args['connections']), `${sum} connections are in use`);
    },
    assertSessionDirty: async (call) =>
      assert(session(call).serverSession.isDirty, 'the session is not dirty'),
    assertSessionNotDirty: async (call) =>
      assert(!session(call).serverSession.isDirty, 'the session is dirty'),
    assertSessionPinned: async (call) => assert(session(call).isPinned, 'not pinned'),
    assertSessionUnpinned: async (call) => assert(!session(call).isPinned, 'pinned'),
    assertSessionTransactionState: async (call) => {
      const { state } = session(call).transaction;
      assert(state === TRANSACTION_STATES[String(call.args['state'])], `the state is ${state}`);
    },
    assertSameLsidOnLastTwoCommands: async (call) => {
      const [before, last] = lastLsids(call);
      assert(before === last, 'two sessions');
    },
    assertDifferentLsidOnLastTwoCommands: async (call) => {
      const [before, last] = lastLsids(call);
      assert(before !== last, 'one session');
    },
    assertCollectionExists: async ({ args }) =>
      assert(await hasCollection(parts, args), 'no such collection'),
    assertCollectionNotExists: async ({ args }) =>
      assert(!(await hasCollection(parts, args)), 'the collection exists'),
    assertIndexExists: async ({ args }) => assert(await hasIndex(parts, args), 'no such index'),
    assertIndexNotExists: async ({ args }) =>
      assert(!(await hasIndex(parts, args)), 'the index exists'),
  };
}
