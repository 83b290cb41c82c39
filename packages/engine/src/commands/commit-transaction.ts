import type { Document } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { RetryRecord, writeRetryRecord } from '../session/retry-record.ts';
import type { Session } from '../session/session.ts';
import { abortedError, type Transaction } from '../session/transaction.ts';
import { requireTransaction } from './abort-transaction.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { reply } from './reply.ts';

/**
 * `commitTransaction` (manual). The transaction's writes and its one entry in the log are one batch;
 * repeating a commit that has taken place answers the same.
 */
export const commitTransaction: CommandDefinition = {
  name: 'commitTransaction',
  help: 'Makes a transaction permanent',
  adminOnly: true,
  stable: true,
  inTransactions: true,
  privilege: 'none',
  fields: { recoveryToken: 'object' },
  async run(context) {
    const { session, transaction } = requireTransaction(context);
    if (transaction.state === 'committed') {
      // a repeated commit asks for durability, which an empty durable write gives
      if (context.writeConcern.durable) {
        await context.services.store.write(() => undefined, { durable: true });
      }
      return commitReply(context);
    }
    await commit(context, session, transaction);
    return commitReply(context);
  },
};

async function commit(
  context: CommandContext,
  session: Session,
  transaction: Transaction,
): Promise<void> {
  const { services } = context;
  const { batch, operations } = transaction;
  services.sessions.closeTransactionCursors(session, transaction);
  if (operations.length === 0) {
    // nothing was written; the batch still has to give back what it holds
    batch.abort();
    transaction.markCommitted(services.oplog.lastPosition);
    return;
  }
  try {
    const position = await services.store.write(
      (target) => {
        if (!transaction.isOpen) throw abortedError(transaction.number);
        batch.commit(target);
        const committedAt = services.oplog.append(target, operations, {
          lsid: session.lsid,
          transactionNumber: transaction.number,
          transaction: true,
        });
        // a commit whose answer was lost is repeated after a crash too, or on another member
        writeRetryRecord(
          target,
          Buffer.from(session.key, 'hex'),
          new RetryRecord(transaction.number, [], committedAt),
        );
        return committedAt;
      },
      { durable: context.writeConcern.durable },
    );
    transaction.markCommitted(position);
  } catch (error) {
    transaction.abort();
    throw error instanceof MongoCommandError && error.codeName === 'WriteConflict'
      ? new MongoCommandError('WriteConflict', error.message, {
          labels: ['TransientTransactionError'],
        })
      : error;
  }
}

function commitReply(context: CommandContext): Document {
  return reply({
    writeConcernError: context.writeConcern.error,
  });
}
