import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

function command(name: string, stable: boolean): CommandDefinition {
  return {
    name,
    help: 'Does nothing; drivers try the Stable API with it (test servers only)',
    privilege: 'none',
    stable,
    fields: {},
    run: () => reply(),
  };
}

/** MongoDB's commands for tests of the Stable API: known only to a server started for tests. */
export const apiVersionTests: readonly CommandDefinition[] = [
  command('testVersion2', false),
  command('testVersions1And2', true),
  command('testDeprecationInVersion2', true),
  command('testRemoval', true),
];
