/**
 * Equal reads that arrive in the same turn of the event loop are one operation. As with reads by id (decision 5), none
 * joins an operation that was sent already: nobody sees older data than alone.
 */
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { encodeDocument } from '../model/raw-bson.ts';
import type { MongoAccess } from './mongo-access.ts';
import type { ConsistencyOptions, Namespace } from './operation-options.ts';

type Due = Map<string, () => void>;
type Waiting = Map<string, Promise<unknown>>;

interface Turn {
  readonly waiting: Waiting;
  readonly due: Due;
}

const turns = new WeakMap<MongoAccess, Turn>();

/** What makes reads equal. */
export interface ReadKey {
  readonly command: string;
  readonly namespace: Namespace;
  /** Everything else that the result depends on. */
  readonly details?: Readonly<Record<string, BsonValue | undefined>>;
}

/** Runs a read, or shares an equal one of this turn. Its result is shared too, and must not be changed. */
export function shareRead<T>(
  mongo: MongoAccess,
  key: ReadKey,
  options: ConsistencyOptions,
  run: () => Promise<T>,
): Promise<T> {
  if (options.session !== undefined || options.causal !== undefined) return run();
  const turn = turns.get(mongo) ?? beginTurn(mongo);
  const text = toText(key, options);
  const equal = turn.waiting.get(text);
  if (equal !== undefined) return equal as Promise<T>;
  const result = new Promise<T>((resolve, reject) => {
    turn.due.set(text, () => void run().then(resolve, reject));
  });
  turn.waiting.set(text, result);
  return result;
}

function beginTurn(mongo: MongoAccess): Turn {
  const turn: Turn = { waiting: new Map(), due: new Map() };
  turns.set(mongo, turn);
  setImmediate(() => {
    turns.delete(mongo);
    for (const send of turn.due.values()) send();
  });
  return turn;
}

function toText(
  { command, namespace, details = {} }: ReadKey,
  options: ConsistencyOptions,
): string {
  const parts = [
    command,
    namespace.database,
    namespace.collection,
    options.readPreference ?? '',
    options.readConcern ?? '',
    options.maxTimeMS ?? '',
  ];
  const values: BsonDocument = new Map();
  for (const [name, value] of Object.entries(details)) {
    if (value !== undefined) values.set(name, value);
  }
  const encoded = values.size === 0 ? '' : encodeDocument(values).toString('latin1');
  return `${parts.join('\0')}\0${encoded}`;
}
