import type { Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import { requireField, toNumber } from './field-types.ts';
import { reply } from './reply.ts';

/** `killCursors` (manual). */
export const killCursors: CommandDefinition = {
  name: 'killCursors',
  help: 'Closes cursors',
  stable: true,
  inTransactions: true,
  privilege: 'none',
  fields: { cursors: 'array' },
  run(context) {
    const namespace = context.namespace();
    const ids = requireField('killCursors', context.args, 'cursors');
    const killed: Value[] = [];
    const notFound: Value[] = [];
    for (const raw of Array.isArray(ids) ? ids : []) {
      const number = toNumber(raw);
      if (number === undefined) {
        throw new MongoCommandError(
          'TypeMismatch',
          "BSON field 'killCursors.cursors' holds something that is not of type 'long'",
        );
      }
      const id = typeof raw === 'bigint' ? raw : BigInt(number);
      const cursor = context.services.cursors.get(id);
      if (cursor === undefined || cursor.namespace !== namespace) {
        notFound.push(id);
      } else {
        context.services.cursors.remove(cursor);
        killed.push(id);
      }
    }
    return reply({
      cursorsKilled: killed,
      cursorsNotFound: notFound,
      cursorsAlive: [],
      cursorsUnknown: [],
    });
  },
};
