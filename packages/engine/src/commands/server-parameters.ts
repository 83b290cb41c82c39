import { SCRAM_MECHANISMS } from '../auth/scram.ts';
import { type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CursorRegistry } from '../session/cursor-registry.ts';
import type { SessionRegistry } from '../session/session-registry.ts';
import { toNumber } from './field-types.ts';
import { FEATURE_COMPATIBILITY_VERSION, type ServerIdentity } from './server-identity.ts';

export interface ServerParameter {
  readonly get: () => Value;
  /** Absent for what cannot be changed at run time. */
  readonly set?: (value: Value) => void;
}

/** What getParameter shows and setParameter changes. */
export class ServerParameters {
  readonly #parameters = new Map<string, ServerParameter>();

  define(name: string, parameter: ServerParameter): void {
    this.#parameters.set(name, parameter);
  }

  has(name: string): boolean {
    return this.#parameters.has(name);
  }

  get(name: string): Value | undefined {
    return this.#parameters.get(name)?.get();
  }

  all(): Document {
    const result = toDocument({});
    for (const [name, parameter] of this.#parameters) result.set(name, parameter.get());
    return result;
  }

  /** @returns the value before */
  set(name: string, value: Value): Value {
    const parameter = this.#parameters.get(name);
    if (parameter === undefined) {
      throw new MongoCommandError(
        'InvalidOptions',
        `attempted to set unrecognized parameter [${name}], use help:true to see options `,
      );
    }
    if (parameter.set === undefined) {
      throw new MongoCommandError('IllegalOperation', `not allowed to change [${name}] at runtime`);
    }
    const before = parameter.get();
    parameter.set(value);
    return before;
  }
}

/** The parameters of a running engine: those that clients and test suites ask for. */
export function createServerParameters(parts: {
  readonly cursors: CursorRegistry;
  readonly sessions: SessionRegistry;
  readonly identity: ServerIdentity;
}): ServerParameters {
  const { cursors, sessions, identity } = parts;
  const parameters = new ServerParameters();
  parameters.define('featureCompatibilityVersion', {
    get: () => toDocument({ version: FEATURE_COMPATIBILITY_VERSION }),
  });
  parameters.define('cursorTimeoutMillis', {
    get: () => BigInt(cursors.timeoutMs),
    set: (value) => {
      cursors.timeoutMs = requireNumber('cursorTimeoutMillis', value);
    },
  });
  parameters.define('transactionLifetimeLimitSeconds', {
    get: () => sessions.transactionLifetimeMs / 1000,
    set: (value) => {
      sessions.transactionLifetimeMs =
        requireNumber('transactionLifetimeLimitSeconds', value) * 1000;
    },
  });
  parameters.define('enableTestCommands', { get: () => identity.testCommands });
  parameters.define('authenticationMechanisms', { get: () => [...SCRAM_MECHANISMS] });
  parameters.define('requireApiVersion', { get: () => false });
  // kept for whoever asks for them; what the engine logs does not depend on them
  keep(parameters, 'logLevel', 0);
  keep(parameters, 'quiet', false);
  let verbosity = toDocument({ verbosity: 0 });
  parameters.define('logComponentVerbosity', {
    get: () => verbosity,
    set: (value) => {
      if (!isDocument(value)) {
        throw new MongoCommandError('TypeMismatch', 'log component settings must be an object');
      }
      verbosity = new Map([...verbosity, ...value]);
    },
  });
  return parameters;
}

function keep(parameters: ServerParameters, name: string, first: Value): void {
  let current = first;
  parameters.define(name, {
    get: () => current,
    set: (value) => {
      current = value;
    },
  });
}

function requireNumber(name: string, value: Value): number {
  const number = toNumber(value);
  if (number === undefined || number < 0) {
    throw new MongoCommandError('BadValue', `Invalid value for parameter ${name}`);
  }
  return number;
}
