/** Queries: compiled once, then asked of many documents (manual, "Query Predicates"). */

import type { Collator } from '../bson/compare.ts';
import type { DateTime, Document, Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { compileDocumentTest, type DocumentTest, type MatchContext } from './filter-match.ts';
import type { FilterNode, TextNode } from './filter-node.ts';
import { parseFilter } from './filter-parse.ts';
import { compilePosition } from './filter-position.ts';
import { compileJsonSchema } from './json-schema.ts';

export type { FilterNode } from './filter-node.ts';

/** Compiles an aggregation expression; given by `aggregation/`, which this folder cannot import. */
export type CompileExpression = (
  spec: Value,
  variables?: ReadonlyMap<string, Value>,
) => (document: Document) => Value | undefined;

export interface FilterOptions {
  readonly collation?: Collator | undefined;
  readonly variables?: ReadonlyMap<string, Value> | undefined;
  readonly now?: DateTime | undefined;
  readonly compileExpression?: CompileExpression | undefined;
  /** Decides `$text`, which needs the collection's text index. */
  readonly compileText?: ((node: TextNode) => DocumentTest) | undefined;
}

/** What the positional `$` of updates and projections stands for; made by `Filter.positions`. */
export type Positions = ReadonlyMap<string, number>;

/** The one place MongoDB keeps for `$`, whatever path it is used with. */
const POSITION_KEY = '$';

export function positionOf(positions: Positions | undefined): number | undefined {
  return positions?.get(POSITION_KEY);
}

export interface Filter {
  readonly root: FilterNode;
  matches(document: Document): boolean;
  /** For a document that matches: the array place `$` stands for, if an array was matched. */
  positions(document: Document): Positions | undefined;
}

function matchContext(options: FilterOptions): MatchContext {
  return {
    collation: options.collation,
    compileExpression(expression) {
      if (options.compileExpression === undefined) {
        throw new MongoCommandError(
          'QueryFeatureNotAllowed',
          '$expr is not allowed in this context',
        );
      }
      return options.compileExpression(expression, options.variables);
    },
    compileJsonSchema: (schema) => compileJsonSchema(schema).matches,
    compileText(node) {
      if (options.compileText === undefined) {
        throw new MongoCommandError('IndexNotFound', 'text index required for $text query');
      }
      return options.compileText(node);
    },
  };
}

/** A filter for nodes that are parsed already. */
export function compileFilterNode(root: FilterNode, options: FilterOptions = {}): Filter {
  const context = matchContext(options);
  const test = compileDocumentTest(root, context);
  let find: ((document: Document) => number | undefined) | undefined;
  return {
    root,
    matches: test,
    positions(document) {
      find ??= compilePosition(root, context);
      const place = find(document);
      return place === undefined ? undefined : new Map([[POSITION_KEY, place]]);
    },
  };
}

/**
 * Compiles a query document.
 *
 * @throws MongoCommandError with MongoDB's code and text for a malformed query
 */
export function compileFilter(filter: Document, options: FilterOptions = {}): Filter {
  return compileFilterNode(parseFilter(filter), options);
}
