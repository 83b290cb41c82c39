import type { Document } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { Oplog } from '../oplog/oplog.ts';
import type { OperationRegistry } from '../session/operation.ts';
import type { SessionRegistry } from '../session/session-registry.ts';
import { allowsSecondary, isWriteOperation, kindOf } from './command-kinds.ts';
import type { ServerIdentity } from './server-identity.ts';

/**
 * The role of a set's only member: primary, but for the time after it was forced to step down, when
 * it is a secondary until it elects itself again (manual, "replSetStepDown").
 */
export class SoleMember {
  readonly #identity: ServerIdentity;
  readonly #operations: OperationRegistry;
  readonly #sessions: SessionRegistry;
  readonly #oplog: Oplog;
  #term = 1;
  #isPrimary = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: {
    readonly identity: ServerIdentity;
    readonly operations: OperationRegistry;
    readonly sessions: SessionRegistry;
    readonly oplog: Oplog;
  }) {
    this.#identity = parts.identity;
    this.#operations = parts.operations;
    this.#sessions = parts.sessions;
    this.#oplog = parts.oplog;
  }

  get isPrimary(): boolean {
    return this.#isPrimary;
  }

  /**
   * What a secondary does not take.
   *
   * @throws NotWritablePrimary, NotPrimaryNoSecondaryOk
   */
  check(name: string, args: Document): void {
    if (this.#isPrimary) return;
    const kind = kindOf(name, args);
    if (kind === 'write') throw new MongoCommandError('NotWritablePrimary', 'not primary');
    if (kind === 'read' && !allowsSecondary(args)) {
      throw new MongoCommandError('NotPrimaryNoSecondaryOk', 'not primary and secondaryOk=false');
    }
  }

  /** Writes under way are interrupted and transactions end; reads, cursors and sockets stay. */
  stepDown(seconds: number): void {
    this.#isPrimary = false;
    for (const operation of this.#operations.all()) {
      if (!isWriteOperation(operation.commandName, operation.command)) continue;
      operation.interrupt(
        new MongoCommandError('InterruptedDueToReplStateChange', 'operation was interrupted'),
      );
    }
    for (const session of this.#sessions.all()) {
      if (session.transaction?.isOpen) {
        this.#sessions.expireTransaction(session, session.transaction);
      }
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.elect(), seconds * 1000);
    this.#timer.unref();
    this.#announce();
  }

  /** Is primary again, by an election of its own. */
  elect(): void {
    if (this.#isPrimary) return;
    clearTimeout(this.#timer);
    this.#isPrimary = true;
    this.#term += 1;
    this.#announce();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #announce(): void {
    this.#identity.picture = () => {
      const { address } = this.#identity;
      const position = this.#oplog.lastPosition;
      return {
        members: [{ address, state: this.#isPrimary ? 'PRIMARY' : 'SECONDARY', position }],
        self: 0,
        primary: this.#isPrimary ? address : undefined,
        term: this.#term,
        majorityPosition: position,
      };
    };
    this.#identity.announceTopologyChange();
  }
}
