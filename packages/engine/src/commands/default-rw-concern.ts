import { DateTime, type Document, isDocument, Timestamp, toDocument } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { toTimestamp } from '../oplog/oplog-entry.ts';
import type { CommandDefinition } from './command.ts';
import type { EngineServices } from './engine-services.ts';
import { toNumber } from './field-types.ts';
import { parseReadConcern } from './read-concern.ts';
import { reply } from './reply.ts';
import { parseWriteConcern } from './write-concern.ts';

/** `getDefaultRWConcern` (manual): the concerns of commands that name none. */
export const getDefaultRwConcern: CommandDefinition = {
  name: 'getDefaultRWConcern',
  help: 'Shows the default read and write concern',
  adminOnly: true,
  privilege: 'clusterMonitor',
  fields: { inMemory: 'bool' },
  run: ({ services }) => describe(services),
};

/** `setDefaultRWConcern` (manual): kept with the data, in force at once. */
export const setDefaultRwConcern: CommandDefinition = {
  name: 'setDefaultRWConcern',
  help: 'Changes the default read and write concern',
  adminOnly: true,
  privilege: 'clusterAdmin',
  fields: { defaultReadConcern: 'object', defaultWriteConcern: 'object' },
  async run({ args, services }) {
    const read = args.get('defaultReadConcern');
    const write = args.get('defaultWriteConcern');
    if (!isDocument(read) && !isDocument(write)) {
      throw bad(
        'At least one of the "defaultReadConcern" or "defaultWriteConcern" fields must be present',
      );
    }
    const setting = new Map(services.settings.get('defaultRwConcern'));
    if (isDocument(read)) setReadConcern(setting, read);
    if (isDocument(write)) setWriteConcern(setting, write);
    setting.set('updateOpTime', toTimestamp(services.oplog.lastPosition));
    setting.set('updateWallClockTime', new DateTime(Date.now()));
    await services.settings.save('defaultRwConcern', setting);
    return describe(services);
  },
};

/** @throws BadValue for a level that is no default; an empty document goes back to the implicit one */
function setReadConcern(setting: Document, concern: Document): void {
  const { level } = parseReadConcern(concern);
  if (level === 'linearizable' || level === 'snapshot') {
    throw bad(`level: '${level}' is not suitable for the default read concern`);
  }
  if (concern.size === 0) setting.delete('defaultReadConcern');
  else setting.set('defaultReadConcern', toDocument({ level }));
}

/** @throws BadValue, FailedToParse; IllegalOperation for taking back what has been set */
function setWriteConcern(setting: Document, concern: Document): void {
  if (concern.size === 0) {
    if (!setting.has('defaultWriteConcern')) return;
    throw new MongoCommandError(
      'IllegalOperation',
      'The global default write concern cannot be unset once it is set.',
    );
  }
  if (!parseWriteConcern(concern).acknowledged) {
    throw bad('Unacknowledged write concern is not suitable for the default write concern');
  }
  setting.set(
    'defaultWriteConcern',
    toDocument({
      w: concern.get('w') ?? 'majority',
      j: concern.get('j'),
      wtimeout: toNumber(concern.get('wtimeout')) ?? 0,
    }),
  );
}

function describe({ settings }: EngineServices): Document {
  const setting = settings.get('defaultRwConcern');
  const read = setting?.get('defaultReadConcern');
  const write = setting?.get('defaultWriteConcern');
  const updatedAt = setting?.get('updateOpTime');
  return reply({
    defaultReadConcern: read ?? toDocument({ level: 'local' }),
    defaultWriteConcern: write ?? toDocument({ w: 'majority', wtimeout: 0 }),
    updateOpTime: updatedAt instanceof Timestamp ? updatedAt : undefined,
    updateWallClockTime: setting?.get('updateWallClockTime'),
    defaultWriteConcernSource: write === undefined ? 'implicit' : 'global',
    defaultReadConcernSource: read === undefined ? 'implicit' : 'global',
    localUpdateWallClockTime: setting?.get('updateWallClockTime') ?? new DateTime(Date.now()),
  });
}

function bad(message: string): MongoCommandError {
  return new MongoCommandError('BadValue', message);
}
