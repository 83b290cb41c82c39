import type { ExpressionRuntime } from '../aggregation/expression/operator.ts';
import { createExpressionCompiler, evaluateLet } from '../aggregation/expression.ts';
import type { Collator } from '../bson/compare.ts';
import { DateTime, type Document, isDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { toTimestamp } from '../oplog/oplog-entry.ts';
import { parseCollation } from '../query/collation.ts';
import {
  type CompileExpression,
  compileFilter,
  type Filter,
  type FilterOptions,
} from '../query/filter.ts';
import type { CommandContext } from './context.ts';
import { CommandTextSearch } from './text-search.ts';

/** What the expressions of one command share: its time, its `let`, its collation. */
export interface QueryEnvironment {
  readonly now: DateTime;
  readonly collation: Collator | undefined;
  readonly collationSpec: Document | undefined;
  readonly runtime: ExpressionRuntime;
  readonly variables: ReadonlyMap<string, Value>;
  readonly compileExpression: CompileExpression;
  readonly text: CommandTextSearch;
  /** For compileFilter and its kin. */
  readonly filterOptions: FilterOptions;
}

const NO_VARIABLES: ReadonlyMap<string, Value> = new Map();

/**
 * The environment of a command.
 *
 * @param statement - where collation and `let` may stand besides the command itself
 * @param defaultCollation - the collection's own
 */
export function createQueryEnvironment(
  context: CommandContext,
  statement: Document = context.args,
  defaultCollation?: Document,
): QueryEnvironment {
  const given = statement.get('collation');
  const collationSpec = isDocument(given) && given.size > 0 ? given : defaultCollation;
  const collation = parseCollation(collationSpec);
  const now = new DateTime(Date.now());
  const runtime: ExpressionRuntime = {
    now,
    clusterTime: toTimestamp(context.services.oplog.lastPosition),
    collation,
    userRoles:
      context.connection.user === undefined
        ? []
        : context.services.users.rolesOf(context.connection.user),
  };
  const letSpec = context.args.get('let');
  const variables = isDocument(letSpec) ? evaluateLet(letSpec, runtime) : NO_VARIABLES;
  const ownSpec = statement === context.args ? undefined : statement.get('c');
  const all = isDocument(ownSpec)
    ? new Map([...variables, ...evaluateLet(ownSpec, runtime)])
    : variables;
  const compileExpression = createExpressionCompiler({ ...runtime, variables: all });
  const text = new CommandTextSearch(context);
  return {
    now,
    collation,
    collationSpec,
    runtime,
    variables: all,
    compileExpression,
    text,
    filterOptions: { collation, variables: all, now, compileExpression, compileText: text.compile },
  };
}

/** What filters kept with a collection are compiled with: validators, and partial indexes'. */
export function validatorOptions(collation: Collator | undefined): FilterOptions {
  const now = new DateTime(Date.now());
  return { collation, compileExpression: createExpressionCompiler({ now, collation }) };
}

/**
 * Compiles a filter that is kept with a collection.
 *
 * @throws BadValue for what depends on more than the document (manual, "Schema Validation")
 */
export function compileStoredFilter(filter: Document, collation: Collator | undefined): Filter {
  refuseInContext(filter);
  return compileFilter(filter, validatorOptions(collation));
}

const NEAR = '$geoNear, $near, and $nearSphere are';
const NOT_IN_CONTEXT: Readonly<Record<string, string>> = {
  $text: '$text is',
  $where: '$where is',
  $near: NEAR,
  $nearSphere: NEAR,
  $geoNear: NEAR,
};

function refuseInContext(value: Value): void {
  if (Array.isArray(value)) {
    value.forEach(refuseInContext);
    return;
  }
  if (!isDocument(value)) return;
  for (const [name, member] of value) {
    const subject = Object.hasOwn(NOT_IN_CONTEXT, name) ? NOT_IN_CONTEXT[name] : undefined;
    if (subject !== undefined) {
      throw new MongoCommandError('BadValue', `${subject} not allowed in this context`);
    }
    // what they hold is no filter
    if (name !== '$jsonSchema' && name !== '$expr') refuseInContext(member);
  }
}
