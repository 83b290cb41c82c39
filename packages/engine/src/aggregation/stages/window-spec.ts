/** What the functions of `$setWindowFields` have in common: their specification, and what they read. */
import type { Document, Value } from '../../bson/value.ts';
import { locationError } from '../aggregation-error.ts';
import type { Evaluator } from '../expression/operator.ts';
import type { ExpressionScope } from '../expression.ts';
import type { SortKey, SortPart } from '../sort-key.ts';
import type { StageContext } from './stage.ts';
import {
  createWindowReader,
  parseWindow,
  WHOLE_PARTITION,
  type Window,
  type WindowReader,
} from './window-bounds.ts';

/** What an expression gives; nothing where a field is missing. */
export type Argument = Value | undefined;

/** The documents of a partition in order, with the keys they were sorted by. */
export interface Partition {
  readonly documents: readonly Document[];
  readonly keys: readonly SortKey[];
}

/** One value for each document, in order. */
export type WindowFunction = (partition: Partition) => readonly Argument[];

/** What stands in one output field, with what it is compiled by. */
export interface FunctionSpec {
  readonly name: string;
  readonly argument: Value;
  readonly windowSpec: Value | undefined;
  readonly sort: readonly SortPart[];
  readonly scope: ExpressionScope;
  readonly context: StageContext;
}

/** The argument of each document. */
export function evaluateAll(
  evaluate: Evaluator,
  { documents }: Partition,
  { frame }: StageContext,
): Argument[] {
  return documents.map((document) => evaluate(document, frame));
}

/** The window that is named, else the whole partition. */
export function readWindow({ windowSpec, sort }: FunctionSpec): Window {
  return windowSpec === undefined ? WHOLE_PARTITION : parseWindow(windowSpec, sort);
}

/** Gives the bounds of each document's window. */
export function windowReader(window: Window, { keys, documents }: Partition): WindowReader {
  return createWindowReader(window, documents.length, () => keys.map(([key]) => key ?? null));
}

/** @throws Location5371601 */
export function refuseWindow({ name, windowSpec }: FunctionSpec): void {
  if (windowSpec === undefined) return;
  throw locationError(5371601, `${name} does not accept a 'window' field`);
}

/** @throws Location5371602 */
export function requireSingleSort({ name, sort }: FunctionSpec): void {
  if (sort.length === 1) return;
  throw locationError(
    5371602,
    `${name} must be specified with a top level sortBy expression with exactly one element`,
  );
}
