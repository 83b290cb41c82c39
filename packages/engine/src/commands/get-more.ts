import type { Document, Value } from '../bson/value.ts';
import { type CodeName, codeOf, nameOfCode } from '../errors/codes.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { Batch, Cursor } from '../session/cursor.ts';
import { ChangeStreamError } from './change-stream-error.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { cursorReply } from './cursor-reply.ts';
import { checkType, requireField, toNonNegative, toNumber } from './field-types.ts';
import { applyTimeLimit } from './time-limit.ts';

/** How long a getMore waits for news where the client does not say (MongoDB: one second). */
const DEFAULT_AWAIT_MS = 1_000;
/** Many idle streams are asked to come back less often: together about thirty times a second. */
const AWAIT_MS_PER_CURSOR = 30;
const MAX_DEFAULT_AWAIT_MS = 30_000;

/** `getMore` (manual): the next batch of a cursor. */
export const getMore: CommandDefinition = {
  name: 'getMore',
  help: 'Reads the next batch of a cursor',
  stable: true,
  inTransactions: true,
  privilege: 'read',
  fields: {
    collection: 'string',
    batchSize: 'number',
    term: 'any',
    lastKnownCommittedOpTime: 'any',
  },
  run(context) {
    context.services.counters.getmore += 1;
    const cursor = checkOut(context);
    const limit = batchLimit(context.args.get('batchSize'));
    const { operation } = context;
    cursor.pinnedBy = operation;
    const awaitMs = awaitTime(context, cursor);
    try {
      failCheckedOut(context, cursor);
      if (awaitMs === undefined) {
        applyTimeLimit(operation, cursor.remainingTimeMs, context.services.failPoints);
      }
      const batch =
        awaitMs === undefined
          ? cursor.readBatch(limit, operation)
          : readAwaiting(context, cursor, limit, awaitMs);
      if (batch instanceof Promise) {
        return batch.then(
          (read) => finish(context, cursor, read),
          (error: unknown) => fail(context, cursor, error),
        );
      }
      return finish(context, cursor, batch);
    } catch (error) {
      return fail(context, cursor, error);
    }
  },
};

function batchLimit(value: Value | undefined): number {
  const size = toNonNegative('batchSize', value) ?? 0;
  return size === 0 ? Number.POSITIVE_INFINITY : size;
}

/** @throws CursorNotFound, and what forbids this client to use that cursor now */
function checkOut(context: CommandContext): Cursor {
  const { args, services } = context;
  requireField('getMore', args, 'collection');
  const raw = args.get('getMore') ?? null;
  checkType('getMore.getMore', raw, 'number');
  const id = typeof raw === 'bigint' ? raw : BigInt(toNumber(raw) ?? 0);
  const namespace = context.namespace(context.nameFrom('collection'));
  const cursor = services.cursors.get(id);
  if (cursor === undefined) {
    throw new MongoCommandError('CursorNotFound', `cursor id ${id} not found`);
  }
  if (cursor.namespace !== namespace) {
    throw new MongoCommandError(
      'Unauthorized',
      `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`,
    );
  }
  if (cursor.pinnedBy !== undefined) {
    throw new MongoCommandError('CursorInUse', `cursor id ${id} is already in use`);
  }
  checkOwner(context, cursor);
  if (cursor.failure !== undefined) {
    services.cursors.remove(cursor);
    throw cursor.failure;
  }
  return cursor;
}

function checkOwner(context: CommandContext, cursor: Cursor): void {
  const subject = `Cannot run getMore on cursor ${cursor.id}, which was`;
  checkSame(cursor.sessionKey, context.session?.key, (own, other) => {
    if (own === undefined) return ['Location50736', `${subject} not created in a session`];
    if (other === undefined)
      return ['Location50737', `${subject} created in a session, without it`];
    return ['Location50738', `${subject} created in session ${own}, in session ${other}`];
  });
  checkSame(cursor.transactionNumber, context.transaction?.number, (own, other) => {
    if (own === undefined) return ['Location50739', `${subject} not created in a transaction`];
    if (other === undefined) {
      return ['Location50740', `${subject} created in a transaction, without a txnNumber`];
    }
    return ['Location50741', `${subject} created in transaction ${own}, in transaction ${other}`];
  });
}

function checkSame<T>(
  own: T | undefined,
  other: T | undefined,
  refuse: (own: T | undefined, other: T | undefined) => readonly [CodeName, string],
): void {
  if (own !== other) throw new MongoCommandError(...refuse(own, other));
}

/** @throws what the fail point `failGetMoreAfterCursorCheckout` has been given */
function failCheckedOut(context: CommandContext, cursor: Cursor): void {
  const data = context.services.failPoints?.enter('failGetMoreAfterCursorCheckout', (given) => {
    const appName = given.get('appName');
    const namespace = given.get('namespace');
    return (
      (appName === undefined || appName === context.operation.appName) &&
      (namespace === undefined || namespace === cursor.namespace)
    );
  });
  if (data === undefined) return;
  throw new MongoCommandError(
    nameOfCode(toNumber(data.get('errorCode')) ?? codeOf('InternalError')),
    "Hit the 'failGetMoreAfterCursorCheckout' failpoint",
  );
}

/** The time to wait for news; `undefined` for a cursor that does not wait. */
function awaitTime(context: CommandContext, cursor: Cursor): number | undefined {
  const asked = toNumber(context.args.get('maxTimeMS'));
  if (cursor.source.tail?.awaitData) return asked ?? defaultAwaitMs(context.services.cursors.size);
  if (asked !== undefined) {
    throw new MongoCommandError(
      'BadValue',
      'cannot set maxTimeMS on getMore command for a non-awaitData cursor',
    );
  }
  return undefined;
}

function defaultAwaitMs(cursors: number): number {
  const shared = cursors * AWAIT_MS_PER_CURSOR;
  return Math.min(Math.max(DEFAULT_AWAIT_MS, shared), MAX_DEFAULT_AWAIT_MS);
}

/** Reads what there is; with nothing there, sleeps until a write wakes it or the time is over. */
async function readAwaiting(
  context: CommandContext,
  cursor: Cursor,
  limit: number,
  awaitMs: number,
): Promise<Batch> {
  const until = performance.now() + awaitMs;
  for (;;) {
    const news = watchForNews(context, cursor);
    try {
      const batch = await cursor.readBatch(limit, context.operation);
      const left = until - performance.now();
      if (batch.documents.length > 0 || cursor.source.tail?.isEnded() || left <= 0) return batch;
      await news.wait(left);
      context.operation.check();
    } finally {
      news.cancel();
    }
  }
}

/** Subscribed before the read, so that nothing written meanwhile is slept through. */
function watchForNews(
  context: CommandContext,
  cursor: Cursor,
): { wait(ms: number): Promise<void>; cancel(): void } {
  let wake: (() => void) | undefined;
  let woken = false;
  const notice = (): void => {
    woken = true;
    wake?.();
  };
  const unsubscribe = cursor.source.tail?.onMore(notice);
  const uninterrupt = context.operation.onInterrupt(notice);
  let timer: NodeJS.Timeout | undefined;
  return {
    wait: (ms) =>
      new Promise((resolve) => {
        if (woken) {
          resolve();
          return;
        }
        wake = resolve;
        timer = setTimeout(resolve, ms);
      }),
    cancel: () => {
      clearTimeout(timer);
      unsubscribe?.();
      uninterrupt();
    },
  };
}

function finish(context: CommandContext, cursor: Cursor, batch: Batch): Document {
  cursor.pinnedBy = undefined;
  cursor.lastUsedAtMs = Date.now();
  if (cursor.remainingTimeMs > 0) {
    const spent = Date.now() - context.operation.startedAtMs;
    cursor.remainingTimeMs = Math.max(1, cursor.remainingTimeMs - spent);
  }
  return cursorReply(context, cursor, batch, 'nextBatch');
}

function fail(context: CommandContext, cursor: Cursor, error: unknown): never {
  cursor.pinnedBy = undefined;
  context.services.cursors.remove(cursor);
  if (error instanceof MongoCommandError && cursor.source.postBatchResumeToken !== undefined) {
    throw new ChangeStreamError(error);
  }
  throw error;
}
