import type { Document } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { NamespaceUsage } from './namespace-usage.ts';

/**
 * One running command: what currentOp shows, killOp ends and maxTimeMS limits. Long work calls
 * `check` whenever it pauses; waits subscribe to `onInterrupt`.
 */
export class Operation {
  readonly id: number;
  readonly connectionId: number;
  readonly startedAtMs: number;
  readonly commandName: string;
  readonly namespace: string;
  /** The command as sent, for currentOp. */
  readonly command: Document;
  readonly appName: string | undefined;
  /** The session's key, so that killSessions finds it. */
  sessionKey: string | undefined;
  /** A fail point wants the connection gone instead of a reply. */
  dropsConnection = false;
  #deadlineAtMs = Number.POSITIVE_INFINITY;
  #interruption: MongoCommandError | undefined;
  /** Made by the first to wait: most operations are over before anybody could interrupt them. */
  #listeners: Set<() => void> | undefined;

  constructor(
    id: number,
    fields: {
      connectionId: number;
      commandName: string;
      namespace: string;
      command: Document;
      appName?: string | undefined;
    },
  ) {
    this.id = id;
    this.connectionId = fields.connectionId;
    this.commandName = fields.commandName;
    this.namespace = fields.namespace;
    this.command = fields.command;
    this.appName = fields.appName;
    this.startedAtMs = Date.now();
  }

  /** @param maxTimeMs - 0 means no limit, as in the command's own field */
  limitTime(maxTimeMs: number): void {
    if (maxTimeMs > 0) this.#deadlineAtMs = this.startedAtMs + maxTimeMs;
  }

  get deadlineAtMs(): number {
    return this.#deadlineAtMs;
  }

  /** @throws MaxTimeMSExpired past the deadline, or what `interrupt` was given */
  check(): void {
    if (this.#interruption !== undefined) throw this.#interruption;
    if (Date.now() > this.#deadlineAtMs) {
      throw new MongoCommandError('MaxTimeMSExpired', 'operation exceeded time limit');
    }
  }

  interrupt(reason = new MongoCommandError('Interrupted', 'operation was interrupted')): void {
    this.#interruption ??= reason;
    for (const listener of [...(this.#listeners ?? [])]) listener();
  }

  /** Calls `listener` at an interruption; the answer ends the subscription. */
  onInterrupt(listener: () => void): () => void {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return () => this.#listeners?.delete(listener);
  }

  /** Waits, at most until the deadline; an interruption ends the wait by its error. */
  async sleep(durationMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const until = Math.min(Date.now() + durationMs, this.#deadlineAtMs + 1);
      const timer = setTimeout(finish, Math.max(0, until - Date.now()));
      const unsubscribe = this.onInterrupt(finish);
      function finish(): void {
        clearTimeout(timer);
        unsubscribe();
        resolve();
      }
    });
    this.check();
  }
}

/** All running operations of the engine. */
export class OperationRegistry {
  readonly #operations = new Map<number, Operation>();
  /** What has been done on each namespace. */
  readonly usage: NamespaceUsage = new NamespaceUsage();
  #lastId = 0;

  start(fields: ConstructorParameters<typeof Operation>[1]): Operation {
    this.#lastId += 1;
    const operation = new Operation(this.#lastId, fields);
    this.#operations.set(operation.id, operation);
    return operation;
  }

  finish(operation: Operation): void {
    if (!this.#operations.delete(operation.id)) return;
    const elapsedMs = Date.now() - operation.startedAtMs;
    this.usage.add(operation.namespace, operation.commandName, elapsedMs);
  }

  get(id: number): Operation | undefined {
    return this.#operations.get(id);
  }

  all(): Iterable<Operation> {
    return this.#operations.values();
  }
}
