import {
  DateTime,
  type Document,
  isDocument,
  ObjectId,
  toDocument,
  type Value,
} from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { toTimestamp } from '../oplog/oplog-entry.ts';
import { SESSION_TIMEOUT_MINUTES } from '../session/session-registry.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { isTrue, toNumber, toText } from './field-types.ts';
import { reply } from './reply.ts';
import {
  MAX_BSON_OBJECT_BYTES,
  MAX_WIRE_VERSION,
  MAX_WRITE_BATCH_SIZE,
  MIN_WIRE_VERSION,
  type ServerIdentity,
} from './server-identity.ts';

const COMPRESSORS: readonly string[] = ['zlib'];
const MAX_MESSAGE_BYTES = 48_000_000;
const MAX_APP_NAME_BYTES = 128;
const MAX_METADATA_BYTES = 512;

/** `hello` and its elder names (manual, "hello"): who the server is and what it can do. */
export const hello: CommandDefinition = {
  name: 'hello',
  aliases: ['isMaster', 'ismaster'],
  help: 'Describes the role of this member of the replica set',
  anonymous: true,
  stable: true,
  privilege: 'none',
  fields: {
    forShell: 'any',
    hostInfo: 'any',
    helloOk: 'bool',
    client: 'object',
    compression: 'array',
    saslSupportedMechs: 'any',
    speculativeAuthenticate: 'object',
    topologyVersion: 'object',
    maxAwaitTimeMS: 'number',
    loadBalanced: 'bool',
    internalClient: 'any',
    backpressure: 'any',
  },
  run(context) {
    learnClient(context);
    const waiting = awaitChange(context);
    return waiting === undefined ? describe(context) : waiting.then(() => describe(context));
  },
};

/** Notes down what a connection's first hello says of its client. */
function learnClient(context: CommandContext): void {
  const { args, connection } = context;
  const client = args.get('client');
  if (isDocument(client)) {
    checkClient(client);
    connection.clientMetadata ??= client;
  }
  const wanted = args.get('compression');
  if (Array.isArray(wanted)) {
    connection.compressors = COMPRESSORS.filter((name) => wanted.includes(name));
  }
}

function checkClient(client: Document): void {
  const application = client.get('application');
  const name = isDocument(application) ? toText(application.get('name')) : undefined;
  if (name !== undefined && Buffer.byteLength(name) > MAX_APP_NAME_BYTES) {
    throw new MongoCommandError(
      'ClientMetadataAppNameTooLarge',
      `The 'client.application.name' field must be less than or equal to ${MAX_APP_NAME_BYTES} bytes`,
    );
  }
  if (JSON.stringify([...client.keys()]).length > MAX_METADATA_BYTES) {
    throw new MongoCommandError(
      'ClientMetadataDocumentTooLarge',
      `The client metadata document must be less then or equal to ${MAX_METADATA_BYTES} bytes`,
    );
  }
}

/** An awaitable hello waits while the client's picture of the topology is the present one. */
function awaitChange(context: CommandContext): Promise<void> | undefined {
  const { args, services, operation } = context;
  const version = args.get('topologyVersion');
  const maxAwaitMs = toNumber(args.get('maxAwaitTimeMS'));
  if (!isDocument(version) || maxAwaitMs === undefined) {
    if (version !== undefined || maxAwaitMs !== undefined) {
      throw new MongoCommandError(
        'Location31368',
        "A request with a 'topologyVersion' must include 'maxAwaitTimeMS', and vice versa",
      );
    }
    return undefined;
  }
  if (maxAwaitMs < 0) {
    throw new MongoCommandError('Location31373', 'maxAwaitTimeMS must be a non-negative integer');
  }
  if (!isSameVersion(version, services.identity)) return undefined;
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      unsubscribe();
      uninterrupt();
      resolve();
    };
    const timer = setTimeout(finish, maxAwaitMs);
    timer.unref();
    const unsubscribe = services.identity.onTopologyChange(finish);
    const uninterrupt = operation.onInterrupt(finish);
  });
}

function isSameVersion(version: Document, identity: ServerIdentity): boolean {
  const processId = version.get('processId');
  const counter = version.get('counter');
  return (
    processId instanceof ObjectId &&
    processId.equals(identity.processId) &&
    BigInt(toNumber(counter) ?? -1) === identity.topologyCounter
  );
}

function describe(context: CommandContext): Document {
  const { services, connection, request } = context;
  const { identity, oplog } = services;
  const legacy = request.name !== 'hello';
  const position = oplog.lastPosition;
  const optime = toDocument({ ts: toTimestamp(position), t: 1n });
  const date = new DateTime((position >> 32n) * 1000n);
  return reply({
    helloOk: isTrue(context.args.get('helloOk')) || undefined,
    topologyVersion: toDocument({
      processId: identity.processId,
      counter: identity.topologyCounter,
    }),
    ...roleFields(identity, legacy),
    lastWrite: toDocument({
      opTime: optime,
      lastWriteDate: date,
      ...majorityFields(identity, position),
    }),
    maxBsonObjectSize: MAX_BSON_OBJECT_BYTES,
    maxMessageSizeBytes: MAX_MESSAGE_BYTES,
    maxWriteBatchSize: MAX_WRITE_BATCH_SIZE,
    localTime: new DateTime(Date.now()),
    logicalSessionTimeoutMinutes: SESSION_TIMEOUT_MINUTES,
    connectionId: connection.id,
    minWireVersion: MIN_WIRE_VERSION,
    maxWireVersion: MAX_WIRE_VERSION,
    readOnly: false,
    ...(connection.compressors.length > 0 && { compression: [...connection.compressors] }),
    ...authenticationFields(context),
  });
}

function roleFields(identity: ServerIdentity, legacy: boolean): Record<string, Value | undefined> {
  const picture = identity.picture?.();
  const isPrimary = picture === undefined || picture.members[picture.self]?.state === 'PRIMARY';
  return {
    hosts: picture?.members.map(({ address }) => address) ?? [identity.address],
    setName: identity.setName,
    setVersion: 1,
    ...(legacy ? { ismaster: isPrimary } : { isWritablePrimary: isPrimary }),
    secondary: !isPrimary,
    primary: picture === undefined ? identity.address : picture.primary,
    me: identity.address,
    electionId: isPrimary ? identity.electionId : undefined,
  };
}

function majorityFields(identity: ServerIdentity, position: bigint): Record<string, Value> {
  const majority = identity.picture?.().majorityPosition ?? position;
  return {
    majorityOpTime: toDocument({
      ts: toTimestamp(majority),
      t: BigInt(identity.picture?.().term ?? 1),
    }),
    majorityWriteDate: new DateTime((majority >> 32n) * 1000n),
  };
}

/** What the hello may also do for authentication; empty while nobody needs to authenticate. */
function authenticationFields(context: CommandContext): Record<string, Value> {
  const { users } = context.services;
  const fields: Record<string, Value> = {};
  const asked = toText(context.args.get('saslSupportedMechs'));
  const mechanisms = asked === undefined ? undefined : users.mechanismsOf(asked);
  if (mechanisms !== undefined) fields['saslSupportedMechs'] = mechanisms;
  const speculative = context.args.get('speculativeAuthenticate');
  if (isDocument(speculative)) {
    const answer = users.startSpeculative(context.connection, speculative);
    if (answer !== undefined) fields['speculativeAuthenticate'] = answer;
  }
  return fields;
}
