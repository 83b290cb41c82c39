import type { Privilege } from '../auth/roles.ts';
import type { Document } from '../bson/value.ts';
import type { CommandContext } from './context.ts';
import type { FieldTypes } from './field-types.ts';

/** One database command: what it takes, who may run it where, and what it does. */
export interface CommandDefinition {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One line for listCommands. */
  readonly help: string;
  /** The fields beside the generic ones; `undefined` leaves checking to the command itself. */
  readonly fields: FieldTypes | undefined;
  /** May run before authentication. */
  readonly anonymous?: boolean;
  readonly adminOnly?: boolean;
  /** May be part of a multi-document transaction. */
  readonly inTransactions?: boolean;
  /** Executes once per txnNumber. */
  readonly retryable?: boolean;
  /** Part of Stable API version 1. */
  readonly stable?: boolean;
  /** What it needs, for authorization. */
  readonly privilege: Privilege;
  run(context: CommandContext): Document | Promise<Document>;
}
