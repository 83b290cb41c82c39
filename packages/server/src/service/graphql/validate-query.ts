/** Queries read and judged against a schema, before anything is fetched. */
import {
  type ASTVisitor,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  parse,
  type SelectionSetNode,
  specifiedRules,
  type ValidationContext,
  type ValidationRule,
  validate,
  visit,
} from 'graphql';
import { type ErrorObject, syntaxError, validationError } from './graphql-errors.ts';

/** A query that can be executed, or why it cannot. */
export type QueryOutcome =
  | { readonly kind: 'valid'; readonly document: DocumentNode; readonly rootFields: string }
  | { readonly kind: 'syntax'; readonly error: ErrorObject }
  | {
      readonly kind: 'invalid';
      readonly errors: readonly ErrorObject[];
      readonly rootFields: string;
    };

// as the engine of the reference has it: what a larger query costs to judge grows faster than its size
const MAX_TOKENS = 15_000;
const MAX_ERRORS = 100;

/** @param maxDepth - of fields in fields; 0: no bound */
export function readQuery(schema: GraphQLSchema, text: string, maxDepth: number): QueryOutcome {
  try {
    return judge(schema, parse(text, { maxTokens: MAX_TOKENS }), maxDepth);
  } catch (error) {
    if (error instanceof GraphQLError) return { kind: 'syntax', error: syntaxError(error) };
    // thousands of nested braces are within the tokens, but not within the stack
    if (!(error instanceof RangeError)) throw error;
    const tooDeep = new GraphQLError('the query is nested too deeply');
    return { kind: 'syntax', error: syntaxError(tooDeep) };
  }
}

function judge(schema: GraphQLSchema, document: DocumentNode, maxDepth: number): QueryOutcome {
  const rootFields = listRootFields(document);
  const kinds = new Map<GraphQLError, string>();
  const rules = specifiedRules.map((rule) => taggedRule(rule, kinds));
  const errors = validate(schema, document, rules, { maxErrors: MAX_ERRORS });
  if (errors.length > 0) {
    return {
      kind: 'invalid',
      rootFields,
      errors: errors.map((error) =>
        validationError(error, kinds.get(error) ?? 'InvalidQuery', fieldPath(document, error)),
      ),
    };
  }
  if (maxDepth > 0 && depthOf(document) > maxDepth) {
    const error = new GraphQLError(`the query is deeper than ${maxDepth} fields`);
    return { kind: 'invalid', rootFields, errors: [validationError(error, 'QueryTooDeep', [])] };
  }
  return { kind: 'valid', document, rootFields };
}

/** The first operation's fields that have fields themselves, as metrics name a query (graphql.md §9). */
function listRootFields(document: DocumentNode): string {
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  const names: string[] = [];
  for (const node of operation?.selectionSet.selections ?? []) {
    if (node.kind === Kind.FIELD && node.selectionSet !== undefined) names.push(node.name.value);
  }
  return names.join(',');
}

const KINDS: Readonly<Record<string, string>> = {
  FieldsOnCorrectTypeRule: 'FieldUndefined',
  FragmentsOnCompositeTypesRule: 'InvalidFragmentType',
  KnownArgumentNamesRule: 'UnknownArgument',
  KnownDirectivesRule: 'UnknownDirective',
  KnownFragmentNamesRule: 'UndefinedFragment',
  KnownTypeNamesRule: 'UnknownType',
  LoneAnonymousOperationRule: 'LoneAnonymousOperationViolation',
  NoFragmentCyclesRule: 'FragmentCycle',
  NoUndefinedVariablesRule: 'UndefinedVariable',
  NoUnusedFragmentsRule: 'UnusedFragment',
  NoUnusedVariablesRule: 'UnusedVariable',
  OverlappingFieldsCanBeMergedRule: 'FieldsConflict',
  PossibleFragmentSpreadsRule: 'InvalidFragmentType',
  ProvidedRequiredArgumentsRule: 'MissingFieldArgument',
  ScalarLeafsRule: 'SubselectionRequired',
  UniqueArgumentNamesRule: 'DuplicateArgumentNames',
  UniqueDirectivesPerLocationRule: 'DuplicateDirectiveName',
  UniqueFragmentNamesRule: 'DuplicateFragmentName',
  UniqueInputFieldNamesRule: 'DuplicateInputFieldName',
  UniqueOperationNamesRule: 'DuplicateOperationName',
  UniqueVariableNamesRule: 'DuplicateVariableName',
  ValuesOfCorrectTypeRule: 'WrongType',
  VariablesAreInputTypesRule: 'NonInputTypeOnVariable',
  VariablesInAllowedPositionRule: 'VariableTypeMismatch',
};

/** The rule, with a note of the kind of each error it reports. */
function taggedRule(rule: ValidationRule, kinds: Map<GraphQLError, string>): ValidationRule {
  const kind = KINDS[rule.name] ?? rule.name.replace(/Rule$/, '');
  return (context): ASTVisitor => {
    const noting: ValidationContext = Object.create(context, {
      reportError: {
        value: (error: GraphQLError) => {
          kinds.set(error, isLeafWithFields(error) ? 'SubselectionNotAllowed' : kind);
          context.reportError(error);
        },
      },
    });
    return rule(noting);
  };
}

/** The library has one rule for both: fields of a scalar, and an object without fields. */
function isLeafWithFields({ nodes }: GraphQLError): boolean {
  return nodes?.length === 1 && nodes[0]?.kind === Kind.SELECTION_SET;
}

/** The names of the fields around the place of an error. */
function fieldPath(document: DocumentNode, error: GraphQLError): string[] {
  const [position] = error.positions ?? [];
  if (position === undefined) return [];
  const path: string[] = [];
  visit(document, {
    enter(node) {
      if (node.loc === undefined) return undefined;
      if (node.loc.start > position || node.loc.end <= position) return false;
      if (node.kind === Kind.FIELD) path.push(node.name.value);
      return undefined;
    },
  });
  return path;
}

/** Levels of fields, through fragments; the document is valid, so fragments have no cycles. */
function depthOf(document: DocumentNode): number {
  const fragments = new Map<string, SelectionSetNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node.selectionSet);
  }
  const known = new Map<SelectionSetNode, number>();
  const measure = (set: SelectionSetNode | undefined): number => {
    if (set === undefined) return 0;
    const kept = known.get(set);
    if (kept !== undefined) return kept;
    const depths = set.selections.map((selection) => {
      if (selection.kind === Kind.FIELD) return 1 + measure(selection.selectionSet);
      return measure(
        selection.kind === Kind.INLINE_FRAGMENT
          ? selection.selectionSet
          : fragments.get(selection.name.value),
      );
    });
    const depth = Math.max(0, ...depths);
    known.set(set, depth);
    return depth;
  };
  return Math.max(
    0,
    ...document.definitions.map((node) =>
      node.kind === Kind.OPERATION_DEFINITION ? measure(node.selectionSet) : 0,
    ),
  );
}
