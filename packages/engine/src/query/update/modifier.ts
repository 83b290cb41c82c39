/** What the update operators have in common. */
import type { Collator } from '../../bson/compare.ts';
import type { DateTime, Document, Timestamp, Value } from '../../bson/value.ts';
import { MongoCommandError } from '../../errors/mongo-command-error.ts';
import { describeValue } from '../describe.ts';
import type { CompileExpression } from '../filter.ts';

/** What one application of an update knows beside the value at the path. */
export interface ModifierContext {
  /** The document before the update. */
  readonly before: Document;
  readonly now: DateTime;
  readonly timestamp: Timestamp;
}

/** One operator with its argument, ready to be applied at its path. */
export interface Modifier {
  readonly operator: string;
  /** False when a missing field is left alone ($unset, $pull …). */
  readonly creates: boolean;
  /** True when a path that leads through a scalar is passed over in silence ($unset). */
  readonly ignoresBarredPath?: boolean;
  /**
   * The new value; the very same one for no change, `undefined` to remove the field.
   *
   * @param path - the resolved path, for error texts
   */
  apply(value: Value | undefined, path: string, context: ModifierContext): Value | undefined;
  /** False when this document gives it nothing to do ($rename of a missing field). */
  applies?(context: ModifierContext): boolean;
  /** True when a grown array may be reported by its new elements alone ($push at the end). */
  readonly appends?: boolean;
}

export interface ModifierOptions {
  readonly collation: Collator | undefined;
  readonly compileExpression: CompileExpression | undefined;
}

/** The `_id` of a document as MongoDB prints it in the errors of updates: `{_id: 1}`. */
export function describeId(document: Document): string {
  const id = document.get('_id');
  return id === undefined ? '{no id}' : `{_id: ${describeValue(id)}}`;
}

export function badValue(message: string): MongoCommandError {
  return new MongoCommandError('BadValue', message);
}

export function failedToParse(message: string): MongoCommandError {
  return new MongoCommandError('FailedToParse', message);
}

export function typeMismatch(message: string): MongoCommandError {
  return new MongoCommandError('TypeMismatch', message);
}

/** The parts of an error text: `a: 1`. */
export function describeField(path: string, value: Value): string {
  return `${path}: ${describeValue(value)}`;
}

/** The last part of a path, which MongoDB's texts name. */
export function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}
