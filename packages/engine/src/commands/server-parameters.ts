import { type Document, toDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';

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
