import { type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import { nameOfCode } from '../errors/codes.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { isTrue, toNumber, toText } from './field-types.ts';

type Mode =
  | { readonly kind: 'alwaysOn' }
  | { readonly kind: 'times'; left: number }
  | { readonly kind: 'skip'; left: number }
  | { readonly kind: 'probability'; readonly probability: number };

interface ActiveFailPoint {
  readonly mode: Mode;
  readonly data: Document;
  timesEntered: number;
}

/** What `failCommand` wants done to a command. */
export interface CommandFailure {
  readonly blockMs: number;
  readonly closeConnection: boolean;
  readonly error: MongoCommandError | undefined;
  readonly writeConcernError: Document | undefined;
  /** Labels given explicitly; they replace the server's own. */
  readonly labels: readonly string[] | undefined;
}

/** Thrown to have the connection dropped without a reply. */
export class DropConnection extends Error {}

const KNOWN_FAIL_POINTS: ReadonlySet<string> = new Set([
  'failCommand',
  'onPrimaryTransactionalWrite',
  'failGetMoreAfterCursorCheckout',
  'maxTimeAlwaysTimeOut',
  'maxTimeNeverTimeOut',
]);

/** Planned failures of a server started for tests (MongoDB's `configureFailPoint`). */
export class FailPoints {
  readonly #active = new Map<string, ActiveFailPoint>();
  readonly #counts = new Map<string, number>();

  /**
   * Switches a fail point.
   *
   * @returns how often it had been entered before
   * @throws BadValue for an unknown one or a wrong mode
   */
  configure(name: string, mode: Value | undefined, data: Document): number {
    if (!KNOWN_FAIL_POINTS.has(name)) {
      throw new MongoCommandError('FailPointEnabled', `Fail point ${name} not found`);
    }
    const count = this.#counts.get(name) ?? 0;
    const parsed = parseMode(mode);
    if (parsed === undefined) this.#active.delete(name);
    else this.#active.set(name, { mode: parsed, data, timesEntered: 0 });
    return count;
  }

  /** The data of a fail point when it fires now. */
  enter(name: string, matches: (data: Document) => boolean = () => true): Document | undefined {
    const point = this.#active.get(name);
    if (point === undefined || !matches(point.data)) return undefined;
    if (!fires(point.mode)) return undefined;
    if (point.mode.kind === 'times' && point.mode.left === 0) this.#active.delete(name);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    return point.data;
  }

  /** What `failCommand` has in store for a command. */
  failCommand(command: {
    /** The command's name and its aliases. */
    readonly names: readonly string[];
    readonly appName: string | undefined;
    readonly namespace: string;
  }): CommandFailure | undefined {
    if (this.#active.size === 0 || command.names.includes('configureFailPoint')) return undefined;
    const data = this.enter('failCommand', (candidate) => {
      const commands = candidate.get('failCommands');
      const appName = toText(candidate.get('appName'));
      const namespace = toText(candidate.get('namespace'));
      return (
        Array.isArray(commands) &&
        command.names.some((name) => commands.includes(name)) &&
        (appName === undefined || appName === command.appName) &&
        (namespace === undefined || namespace === command.namespace)
      );
    });
    return data === undefined ? undefined : toFailure(data);
  }
}

function parseMode(mode: Value | undefined): Mode | undefined {
  if (mode === 'off') return undefined;
  if (mode === 'alwaysOn') return { kind: 'alwaysOn' };
  if (isDocument(mode)) {
    const times = toNumber(mode.get('times'));
    const skip = toNumber(mode.get('skip'));
    const probability = toNumber(mode.get('activationProbability'));
    if (times !== undefined) return { kind: 'times', left: times };
    if (skip !== undefined) return { kind: 'skip', left: skip };
    if (probability !== undefined) return { kind: 'probability', probability };
  }
  throw new MongoCommandError('BadValue', 'unknown mode of a fail point');
}

function fires(mode: Mode): boolean {
  switch (mode.kind) {
    case 'alwaysOn':
      return true;
    case 'times':
      if (mode.left <= 0) return false;
      mode.left -= 1;
      return true;
    case 'skip':
      if (mode.left <= 0) return true;
      mode.left -= 1;
      return false;
    case 'probability':
      return Math.random() < mode.probability;
  }
}

function toFailure(data: Document): CommandFailure {
  const errorCode = toNumber(data.get('errorCode'));
  const labels = data.get('errorLabels');
  const explicitLabels = Array.isArray(labels) ? labels.map(String) : undefined;
  const writeConcernError = data.get('writeConcernError');
  return {
    blockMs: isTrue(data.get('blockConnection')) ? (toNumber(data.get('blockTimeMS')) ?? 0) : 0,
    closeConnection: isTrue(data.get('closeConnection')),
    error: errorCode === undefined ? undefined : failureError(errorCode, data, explicitLabels),
    writeConcernError: isDocument(writeConcernError)
      ? toDocument({ ...Object.fromEntries(writeConcernError) })
      : undefined,
    labels: explicitLabels,
  };
}

function failureError(
  code: number,
  data: Document,
  labels: readonly string[] | undefined,
): MongoCommandError {
  const extra = data.get('errorExtraInfo');
  return new MongoCommandError(nameOfCode(code), "Failing command via 'failCommand' failpoint", {
    ...(labels && { labels }),
    ...(isDocument(extra) && { extra }),
  });
}
