import type { CommandDefinition } from '../commands/command.ts';
import { toNumber } from '../commands/field-types.ts';
import { reply } from '../commands/reply.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';

/** What the commands about the set may order. */
export interface SetOrders {
  stepDown(): Promise<void>;
  stepUp(): Promise<void>;
  /** 0 ends an earlier one. */
  freeze(seconds: number): void;
}

/** The commands by which MongoDB's tools order elections (manual, "Replication Commands"). */
export function createSetCommands(orders: SetOrders): readonly CommandDefinition[] {
  return [
    {
      name: 'replSetStepDown',
      help: 'The primary hands over to another member',
      adminOnly: true,
      privilege: 'clusterAdmin',
      fields: { secondaryCatchUpPeriodSecs: 'number', force: 'bool' },
      async run() {
        await orders.stepDown();
        return reply();
      },
    },
    {
      name: 'replSetStepUp',
      help: 'This member seeks election',
      adminOnly: true,
      privilege: 'clusterAdmin',
      fields: { skipDryRun: 'bool' },
      async run() {
        try {
          await orders.stepUp();
        } catch (error) {
          throw new MongoCommandError('CommandFailed', `Election failed: ${String(error)}`);
        }
        return reply();
      },
    },
    {
      name: 'replSetFreeze',
      help: 'Keeps a secondary from seeking election',
      adminOnly: true,
      privilege: 'clusterAdmin',
      fields: {},
      run({ args }) {
        orders.freeze(toNumber(args.get('replSetFreeze')) ?? 0);
        return reply();
      },
    },
  ];
}
