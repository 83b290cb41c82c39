import { typeName } from '../bson/types.ts';
import type { Document, Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { Position } from '../oplog/oplog-entry.ts';
import type { Operation } from '../session/operation.ts';
import type { Session } from '../session/session.ts';
import type { Transaction } from '../session/transaction.ts';
import type { ReadView } from '../storage/store.ts';
import type { CommandRequest } from './command-request.ts';
import type { Connection } from './connection.ts';
import type { EngineServices } from './engine-services.ts';
import { toNumber } from './field-types.ts';
import { checkAfterClusterTime, parseReadConcern, type ReadConcern } from './read-concern.ts';
import { parseWriteConcern, type WriteConcern } from './write-concern.ts';

/** All that one run of a command has at hand. */
export class CommandContext {
  readonly services: EngineServices;
  readonly connection: Connection;
  readonly request: CommandRequest;
  readonly args: Document;
  readonly database: string;
  readonly operation: Operation;
  readonly session: Session | undefined;
  /** The open transaction this command is part of. */
  transaction: Transaction | undefined;
  /** The number of a retryable write. */
  retryNumber: bigint | undefined;
  #writeConcern: WriteConcern | undefined;
  #readConcern: ReadConcern | undefined;
  #snapshotPosition: Position | undefined;
  #view: ReadView | undefined;

  constructor(fields: {
    services: EngineServices;
    connection: Connection;
    request: CommandRequest;
    operation: Operation;
    session: Session | undefined;
  }) {
    this.services = fields.services;
    this.connection = fields.connection;
    this.request = fields.request;
    this.args = fields.request.arguments;
    this.database = fields.request.database;
    this.operation = fields.operation;
    this.session = fields.session;
  }

  get writeConcern(): WriteConcern {
    this.#writeConcern ??= this.#chooseWriteConcern();
    return this.#writeConcern;
  }

  #chooseWriteConcern(): WriteConcern {
    const given = this.args.get('writeConcern');
    if (given !== undefined) return parseWriteConcern(given);
    // what is written inside a transaction waits for the concern of its commit
    const isStatement =
      this.transaction !== undefined && !this.request.name.endsWith('Transaction');
    return parseWriteConcern(isStatement ? undefined : this.services.settings.defaultWriteConcern, {
      provenance: 'customDefault',
    });
  }

  get readConcern(): ReadConcern {
    const value = this.args.get('readConcern');
    this.#readConcern ??= parseReadConcern(value instanceof Map ? value : undefined);
    return this.#readConcern;
  }

  /** What reads look at: the transaction, a held snapshot, or the present. */
  get view(): ReadView {
    if (this.transaction !== undefined) return this.transaction.batch;
    this.#view ??= this.#chooseView();
    return this.#view;
  }

  /** The moment of a snapshot read outside transactions; drivers pass it on to the next read. */
  get snapshotPosition(): Position | undefined {
    return this.#snapshotPosition;
  }

  #chooseView(): ReadView {
    const concern = this.readConcern;
    const present = this.services.oplog.lastPosition;
    checkAfterClusterTime(concern, present);
    if (concern.level !== 'snapshot') return this.services.store.latest;
    const held = this.services.sessions.snapshotAt(concern.atClusterTime ?? present, present);
    this.#snapshotPosition = held.position;
    return held.snapshot;
  }

  /** The same run of the command, looking at another database (bulkWrite's namespaces). */
  onDatabase(database: string): CommandContext {
    return this.#withRequest({ ...this.request, database });
  }

  /** The same run, as if it were of the command inside it (explain). */
  ofCommand(name: string, args: Document): CommandContext {
    return this.#withRequest({ ...this.request, name, arguments: args });
  }

  #withRequest(request: CommandRequest): CommandContext {
    const other = new CommandContext({
      services: this.services,
      connection: this.connection,
      request,
      operation: this.operation,
      session: this.session,
    });
    other.transaction = this.transaction;
    other.retryNumber = this.retryNumber;
    return other;
  }

  /** The collection the command's own field names. */
  get collectionName(): string {
    return this.nameFrom(this.request.name);
  }

  nameFrom(field: string): string {
    const value: Value = this.args.get(field) ?? null;
    if (typeof value !== 'string') {
      throw new MongoCommandError(
        'InvalidNamespace',
        `collection name has invalid type ${typeName(value)}`,
      );
    }
    if (value === '' || value.includes('\0')) {
      throw new MongoCommandError(
        'InvalidNamespace',
        `Invalid namespace specified '${this.database}.${value}'`,
      );
    }
    return value;
  }

  namespace(collection: string = this.collectionName): string {
    return `${this.database}.${collection}`;
  }

  /** maxTimeMS of the command; 0 when there is none. */
  get maxTimeMs(): number {
    return toNumber(this.args.get('maxTimeMS')) ?? 0;
  }
}
