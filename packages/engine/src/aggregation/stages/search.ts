/** `$search` and its kin: stages of a search process, which this server does not have. */
import { MongoCommandError } from '../../errors/mongo-command-error.ts';
import type { StageTable } from './stage.ts';

const GUIDE =
  'Please connect to Atlas or an AtlasCLI local deployment to enable. For more information on how to connect, see https://dochub.mongodb.org/core/atlas-cli-deploy-local-reqs';

/** The refusal of commands for search indexes (MongoDB's code and text). */
export function searchNotEnabled(): MongoCommandError {
  return new MongoCommandError(
    'SearchNotEnabled',
    `Using Atlas Search Database Commands and the $listSearchIndexes aggregation stage requires additional configuration. ${GUIDE}`,
  );
}

function refuseIndexes(): never {
  throw searchNotEnabled();
}

function refuseSearch(): never {
  throw new MongoCommandError(
    'SearchNotEnabled',
    `Using $search and $vectorSearch aggregation stages requires additional configuration. ${GUIDE}`,
  );
}

export const searchStages: StageTable = {
  $listSearchIndexes: refuseIndexes,
  $search: refuseSearch,
  $searchMeta: refuseSearch,
  $vectorSearch: refuseSearch,
};
