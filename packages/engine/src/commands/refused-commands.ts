import type { CodeName } from '../errors/codes.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';

function refused(name: string, code: CodeName, message: string): CommandDefinition {
  return {
    name,
    help: 'Is refused here',
    privilege: 'dbAdmin',
    fields: undefined,
    run() {
      throw new MongoCommandError(code, message);
    },
  };
}

/** Commands that MongoDB knows and a server such as this one refuses, by MongoDB's codes. */
export const refusedCommands: readonly CommandDefinition[] = [
  // a server that was started without its JavaScript engine
  refused('mapReduce', 'Location16149', 'cannot run map reduce without the js engine'),
  refused(
    'reIndex',
    'IllegalOperation',
    'reIndex is only allowed on a standalone mongod instance.',
  ),
];
