import { type Document, isDocument, Timestamp, toDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { Operation } from '../session/operation.ts';
import { ChangeStreamError } from './change-stream-error.ts';
import type { CommandDefinition } from './command.ts';
import { kindOf } from './command-kinds.ts';
import type { CommandRequest } from './command-request.ts';
import { appNameIn, appNameOf, type Connection } from './connection.ts';
import { CommandContext } from './context.ts';
import type { EngineServices } from './engine-services.ts';
import { isNotPrimary, labelsFor } from './error-labels.ts';
import { type CommandFailure, DropConnection, type FailPoints } from './fail-points.ts';
import { checkFields, isTrue, toNumber } from './field-types.ts';
import { errorReply, ReplyDecorator, toCommandError } from './reply.ts';
import { applyTimeLimit } from './time-limit.ts';
import {
  joinTransaction,
  readSessionOptions,
  type SessionOptions,
} from './transaction-protocol.ts';

/** Whether the user of a connection may run a command; throws Unauthorized when not. */
export type Authorize = (
  connection: Connection,
  definition: CommandDefinition,
  request: CommandRequest,
) => void;

/** What connections hand their requests to. */
export interface CommandRunner {
  run(connection: Connection, request: CommandRequest): Document | Promise<Document>;
  replyToUnreadable(error: unknown): Document;
}

/** Runs commands: the way of each one from its request to its reply. */
export class Dispatcher implements CommandRunner {
  readonly #services: EngineServices;
  readonly #commands: ReadonlyMap<string, CommandDefinition>;
  readonly #authorize: Authorize;
  readonly #decorator = new ReplyDecorator();

  constructor(
    services: EngineServices,
    commands: ReadonlyMap<string, CommandDefinition>,
    authorize: Authorize,
  ) {
    this.#services = services;
    this.#commands = commands;
    this.#authorize = authorize;
  }

  /**
   * Runs one command. Failures of the command are replies too.
   *
   * @throws DropConnection when a fail point wants the connection gone
   */
  run(connection: Connection, request: CommandRequest): Document | Promise<Document> {
    const services = this.#services;
    const operation = services.operations.start({
      connectionId: connection.id,
      commandName: request.name,
      namespace: namespaceOf(request),
      command: request.arguments,
      appName: appNameIn(request.arguments.get('client')) ?? appNameOf(connection),
    });
    services.counters.command += 1;
    const failed = (error: unknown): Document => {
      services.operations.finish(operation);
      services.profiler.notice(operation, request.database);
      if (operation.dropsConnection) throw new DropConnection('closed by a fail point');
      return this.#failure(request, error);
    };
    try {
      const outcome = this.#start(connection, request, operation);
      if (outcome instanceof Promise) {
        return outcome.then((document) => this.#success(document, operation, request), failed);
      }
      return this.#success(outcome, operation, request);
    } catch (error) {
      return failed(error);
    }
  }

  /** The reply to a request that could not even be read as a command. */
  replyToUnreadable(error: unknown): Document {
    return this.#decorator.decorate(
      errorReply(toCommandError(error), []),
      this.#services.oplog.lastPosition,
    );
  }

  /** The reply to a command that is not even begun. */
  refuse(request: CommandRequest, error: unknown): Document {
    return this.#failure(request, error);
  }

  #success(document: Document, operation: Operation, request: CommandRequest): Document {
    this.#services.operations.finish(operation);
    this.#services.profiler.notice(operation, request.database);
    if (operation.dropsConnection) throw new DropConnection('closed by a fail point');
    const concern = document.get('writeConcernError');
    if (isDocument(concern)) {
      this.#addTopologyVersion(document, toNumber(concern.get('code')) ?? 0);
    }
    return this.#decorator.decorate(document, this.#services.oplog.lastPosition);
  }

  #failure(request: CommandRequest, thrown: unknown): Document {
    if (thrown instanceof DropConnection) throw thrown;
    const error = toCommandError(thrown);
    if (error.code === 1 && !(thrown instanceof MongoCommandError)) {
      this.#services.logger.error(
        { command: request.name, err: thrown },
        'command failed by a bug',
      );
    }
    const explicit = error instanceof FailPointError;
    const labels = explicit ? error.explicitLabels : undefined;
    const document = errorReply(error, labels ?? this.#labels(request, error));
    this.#addTopologyVersion(document, error.code);
    return this.#decorator.decorate(document, this.#services.oplog.lastPosition);
  }

  /** With it a driver sees that such an error tells nothing new about the topology. */
  #addTopologyVersion(document: Document, code: number): void {
    if (!isNotPrimary(code)) return;
    const { processId, topologyCounter } = this.#services.identity;
    document.set('topologyVersion', toDocument({ processId, counter: topologyCounter }));
  }

  #labels(request: CommandRequest, error: MongoCommandError): string[] {
    const { arguments: args } = request;
    const inTransaction = args.get('autocommit') === false;
    return labelsFor(error.code, {
      name: request.name,
      inTransaction,
      retryableWrite: args.has('txnNumber') && !inTransaction,
      // a getMore that failed before it came to its cursor is not known to read a change stream
      onChangeStream: isChangeStream(args) || error instanceof ChangeStreamError,
      hasWriteConcernError: false,
    });
  }

  #start(
    connection: Connection,
    request: CommandRequest,
    operation: Operation,
  ): Document | Promise<Document> {
    const definition = this.#commands.get(request.name);
    if (definition === undefined) {
      throw new MongoCommandError('CommandNotFound', `no such command: '${request.name}'`);
    }
    checkDatabaseName(request.database);
    const failure = this.#services.failPoints?.failCommand({
      names: failPointNames(definition, request),
      appName: operation.appName,
      namespace: operation.namespace,
    });
    const execute = (): Document | Promise<Document> =>
      this.#execute(connection, request, operation, definition);
    return failure === undefined ? execute() : failPlanned(failure, operation, request, execute);
  }

  #execute(
    connection: Connection,
    request: CommandRequest,
    operation: Operation,
    definition: CommandDefinition,
  ): Document | Promise<Document> {
    const args = request.arguments;
    checkApi(definition, args);
    if (definition.fields !== undefined) checkFields(request.name, args, definition.fields);
    if (definition.adminOnly && request.database !== 'admin') {
      throw new MongoCommandError(
        'Unauthorized',
        `${definition.name} may only be run against the admin database.`,
      );
    }
    checkClusterTime(args);
    checkConcerns(request.name, args);
    checkSnapshotRead(definition, args);
    this.#services.member.check(request.name, args);
    this.#authorize(connection, definition, request);
    limitTime(operation, args, this.#services.failPoints);
    const lsid = args.get('lsid');
    const session = isDocument(lsid) ? this.#services.sessions.use(lsid) : undefined;
    operation.sessionKey = session?.key;
    const context = new CommandContext({
      services: this.#services,
      connection,
      request,
      operation,
      session,
    });
    const options = readSessionOptions(context);
    if (options.number === undefined || session === undefined) return definition.run(context);
    return session.runInOrder(() => runNumbered(context, definition, options));
  }
}

const LEGACY_HELLO = ['isMaster', 'ismaster'];

/** To MongoDB `hello` and `isMaster` are two commands, each of which can be made to fail alone. */
function failPointNames(definition: CommandDefinition, request: CommandRequest): readonly string[] {
  if (LEGACY_HELLO.includes(request.name)) return LEGACY_HELLO;
  if (definition.name === 'hello') return ['hello'];
  return [definition.name, ...(definition.aliases ?? [])];
}

/** A planned failure whose labels are given and not computed. */
class FailPointError extends MongoCommandError {
  explicitLabels: readonly string[] | undefined;
}

function runNumbered(
  context: CommandContext,
  definition: CommandDefinition,
  options: SessionOptions,
): Document | Promise<Document> {
  joinTransaction(context, definition, options);
  if (context.transaction === undefined) return definition.run(context);
  const ends = definition.name === 'commitTransaction' || definition.name === 'abortTransaction';
  // a failed statement ends its transaction, as on MongoDB; a failed commit may be repeated
  const fail = (error: unknown): never => {
    const { session, transaction } = context;
    if (!ends && session !== undefined && transaction !== undefined) {
      context.services.sessions.expireTransaction(session, transaction);
    }
    throw error;
  };
  try {
    const outcome = definition.run(context);
    return outcome instanceof Promise ? outcome.catch(fail) : outcome;
  } catch (error) {
    return fail(error);
  }
}

async function failPlanned(
  failure: CommandFailure,
  operation: Operation,
  request: CommandRequest,
  execute: () => Document | Promise<Document>,
): Promise<Document> {
  if (failure.blockMs > 0) await operation.sleep(failure.blockMs);
  if (failure.closeConnection) throw new DropConnection('closed by a fail point');
  if (failure.error !== undefined) {
    const planned = new FailPointError(
      failure.error.codeName as ConstructorParameters<typeof MongoCommandError>[0],
      failure.error.message,
      { labels: failure.error.labels, ...(failure.error.extra && { extra: failure.error.extra }) },
    );
    planned.explicitLabels = failure.labels;
    throw planned;
  }
  const document = await execute();
  if (failure.writeConcernError !== undefined) {
    addWriteConcernError(document, failure, request);
  }
  return document;
}

function addWriteConcernError(
  document: Document,
  failure: CommandFailure,
  request: CommandRequest,
): void {
  const error = failure.writeConcernError;
  if (error === undefined) return;
  document.set('writeConcernError', error);
  const code = toNumber(error.get('code')) ?? 0;
  const labels =
    failure.labels ??
    labelsFor(code, {
      name: request.name,
      inTransaction: request.arguments.get('autocommit') === false,
      retryableWrite:
        request.arguments.has('txnNumber') && request.arguments.get('autocommit') !== false,
      onChangeStream: false,
      hasWriteConcernError: true,
    });
  if (labels.length > 0) document.set('errorLabels', [...labels]);
}

function limitTime(operation: Operation, args: Document, failPoints: FailPoints | undefined): void {
  const maxTimeMs = toNumber(args.get('maxTimeMS'));
  if (maxTimeMs === undefined) return;
  if (maxTimeMs < 0 || !Number.isInteger(maxTimeMs)) {
    throw new MongoCommandError('BadValue', `${maxTimeMs} value for maxTimeMS is out of range`);
  }
  // on a getMore of an awaiting cursor it is the time to wait, not a limit
  if (
    !args.has('getMore') &&
    !args.has('hello') &&
    !args.has('isMaster') &&
    !args.has('ismaster')
  ) {
    applyTimeLimit(operation, maxTimeMs, failPoints);
  }
}

const LOCAL_LEVELS: readonly (Value | undefined)[] = [undefined, 'local', 'snapshot'];

/**
 * A read has nothing to wait for, a write nothing to read by (manual, "Write Concern", "Read Concern").
 *
 * @throws InvalidOptions
 */
function checkConcerns(name: string, args: Document): void {
  const hasWriteConcern = isDocument(args.get('writeConcern'));
  const readConcern = args.get('readConcern');
  if (!hasWriteConcern && !isDocument(readConcern)) return;
  if (args.get('autocommit') === false) return;
  const kind = kindOf(name, args);
  if (hasWriteConcern && kind === 'read') {
    throw new MongoCommandError('InvalidOptions', `Command ${name} does not support writeConcern`);
  }
  if (kind !== 'write' || name === 'aggregate' || !isDocument(readConcern)) return;
  const level = readConcern.get('level');
  if (LOCAL_LEVELS.includes(level)) return;
  throw new MongoCommandError(
    'InvalidOptions',
    `Command ${name} does not support { readConcern: { level: "${String(level)}", provenance: "clientSupplied" } } :: caused by :: read concern not supported`,
  );
}

/** @throws TypeMismatch for a time that is none */
function checkClusterTime(args: Document): void {
  const given = args.get('$clusterTime');
  if (!isDocument(given) || given.get('clusterTime') instanceof Timestamp) return;
  throw new MongoCommandError(
    'TypeMismatch',
    '"clusterTime" had the wrong type. Expected timestamp',
  );
}

const SNAPSHOT_READS: ReadonlySet<string> = new Set(['find', 'aggregate', 'distinct', 'getMore']);

/** @throws InvalidOptions for read concern "snapshot" outside of transactions (manual) */
function checkSnapshotRead(definition: CommandDefinition, args: Document): void {
  const concern = args.get('readConcern');
  if (!isDocument(concern) || concern.get('level') !== 'snapshot') return;
  if (args.get('autocommit') === false || SNAPSHOT_READS.has(definition.name)) return;
  throw new MongoCommandError(
    'InvalidOptions',
    `Command ${definition.name} does not support { readConcern: { level: "snapshot", provenance: "clientSupplied" } } :: caused by :: read concern not supported`,
  );
}

const API_FIELDS = ['apiStrict', 'apiDeprecationErrors'] as const;

/** Stable API (manual, "Stable API"). */
function checkApi(definition: CommandDefinition, args: Document): void {
  const version = args.get('apiVersion');
  if (version === undefined) {
    for (const field of API_FIELDS) {
      if (args.has(field)) {
        throw new MongoCommandError(
          'InvalidOptions',
          `Provided ${field} without passing apiVersion`,
        );
      }
    }
    return;
  }
  if (version !== '1') {
    throw new MongoCommandError('APIVersionError', 'API version must be "1"');
  }
  if (isTrue(args.get('apiStrict')) && !definition.stable) {
    throw new MongoCommandError(
      'APIStrictError',
      `Provided apiStrict:true, but the command ${definition.name} is not in API Version 1. Information on supported commands and migrations in API Version 1 can be found at https://dochub.mongodb.org/core/manual-versioned-api`,
    );
  }
}

function namespaceOf(request: CommandRequest): string {
  const collection: Value | undefined = request.arguments.get(
    request.name === 'getMore' ? 'collection' : request.name,
  );
  return typeof collection === 'string'
    ? `${request.database}.${collection}`
    : `${request.database}.$cmd`;
}

const MAX_DATABASE_NAME_BYTES = 63;

/** @throws InvalidNamespace (manual, "Naming Restrictions") */
function checkDatabaseName(name: string): void {
  if (
    name === '' ||
    (/[/\\. "$\0]/.test(name) && name !== '$external') ||
    Buffer.byteLength(name) > MAX_DATABASE_NAME_BYTES
  ) {
    throw new MongoCommandError('InvalidNamespace', `Invalid database name: '${name}'`);
  }
}

function isChangeStream(args: Document): boolean {
  const pipeline = args.get('pipeline');
  const first = Array.isArray(pipeline) ? pipeline[0] : undefined;
  return isDocument(first) && first.has('$changeStream');
}
