import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { Session } from '../session/session.ts';
import type { Transaction } from '../session/transaction.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { reply } from './reply.ts';

/** `abortTransaction` (manual). */
export const abortTransaction: CommandDefinition = {
  name: 'abortTransaction',
  help: 'Undoes a transaction',
  adminOnly: true,
  stable: true,
  inTransactions: true,
  privilege: 'none',
  fields: { recoveryToken: 'object' },
  run(context) {
    const { session, transaction } = requireTransaction(context);
    context.services.sessions.expireTransaction(session, transaction);
    return reply({ writeConcernError: context.writeConcern.error });
  },
};

/** @throws NoSuchTransaction when the command is not part of a transaction */
export function requireTransaction(context: CommandContext): {
  readonly session: Session;
  readonly transaction: Transaction;
} {
  const { session, transaction } = context;
  if (session === undefined || transaction === undefined) {
    throw new MongoCommandError(
      'CommandFailed',
      `${context.request.name} must be run within a transaction`,
    );
  }
  return { session, transaction };
}
