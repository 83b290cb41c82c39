import { type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { Operation } from '../session/operation.ts';
import { ChangeStreamError } from './change-stream-error.ts';
import type { CommandDefinition } from './command.ts';
import {
  checkApi,
  checkClusterTime,
  checkConcerns,
  checkDatabaseName,
  checkSnapshotRead,
} from './command-checks.ts';
import type { CommandRequest } from './command-request.ts';
import { appNameIn, appNameOf, type Connection } from './connection.ts';
import { CommandContext } from './context.ts';
import type { EngineServices } from './engine-services.ts';
import { isNotPrimary, labelsFor } from './error-labels.ts';
import { type CommandFailure, DropConnection, type FailPoints } from './fail-points.ts';
import { checkFields, toNumber } from './field-types.ts';
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

function namespaceOf(request: CommandRequest): string {
  const collection: Value | undefined = request.arguments.get(
    request.name === 'getMore' ? 'collection' : request.name,
  );
  return typeof collection === 'string'
    ? `${request.database}.${collection}`
    : `${request.database}.$cmd`;
}

function isChangeStream(args: Document): boolean {
  const pipeline = args.get('pipeline');
  const first = Array.isArray(pipeline) ? pipeline[0] : undefined;
  return isDocument(first) && first.has('$changeStream');
}
