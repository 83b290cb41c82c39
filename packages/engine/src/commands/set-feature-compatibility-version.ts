import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import { isTrue } from './field-types.ts';
import { reply } from './reply.ts';
import { FEATURE_COMPATIBILITY_VERSION } from './server-identity.ts';

/** `setFeatureCompatibilityVersion` (manual): the engine has one version, which is always in force. */
export const setFeatureCompatibilityVersion: CommandDefinition = {
  name: 'setFeatureCompatibilityVersion',
  help: 'Confirms the version whose features are in force',
  adminOnly: true,
  privilege: 'clusterAdmin',
  fields: { confirm: 'bool', fromConfigServer: 'bool' },
  run({ args }) {
    const version = args.get('setFeatureCompatibilityVersion');
    if (version !== FEATURE_COMPATIBILITY_VERSION) {
      throw new MongoCommandError(
        'Location4926900',
        `Invalid feature compatibility version value, expected '${FEATURE_COMPATIBILITY_VERSION}'; found '${String(version)}'`,
      );
    }
    if (!isTrue(args.get('confirm'))) {
      throw new MongoCommandError(
        'Location7369100',
        `Once you have upgraded to ${version}, you will not be able to downgrade FCV and binary version without support assistance. Please re-run this command with 'confirm: true' to acknowledge this and continue with the FCV upgrade.`,
      );
    }
    return reply();
  },
};
