import { searchNotEnabled } from '../aggregation/stages/search.ts';
import type { CommandDefinition } from './command.ts';
import type { FieldTypes } from './field-types.ts';

function refused(name: string, fields: FieldTypes): CommandDefinition {
  return {
    name,
    help: 'Answers that there are no search indexes here',
    privilege: 'dbAdmin',
    fields,
    run() {
      throw searchNotEnabled();
    },
  };
}

/**
 * The commands for search indexes (manual, "Atlas Search Index Management"): refused as a server
 * without a search process refuses them.
 */
export const searchIndexCommands: readonly CommandDefinition[] = [
  refused('createSearchIndexes', { indexes: 'array' }),
  refused('dropSearchIndex', { name: 'string', id: 'string' }),
  refused('listSearchIndexes', { name: 'string', id: 'string', cursor: 'object' }),
  refused('updateSearchIndex', { name: 'string', id: 'string', definition: 'object' }),
];
