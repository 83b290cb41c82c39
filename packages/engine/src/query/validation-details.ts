/**
 * Why a document fails a collection's validator, in the form of MongoDB's `errInfo.details`
 * (manual, "Schema Validation").
 */
import { collectPath, splitPath } from '../bson/path.ts';
import { BsonType, typeName } from '../bson/types.ts';
import type { Document, Value } from '../bson/value.ts';
import { compileFilterNode, type Filter, type FilterOptions } from './filter.ts';
import type { FilterNode, LeafNode, LogicalNode } from './filter-node.ts';
import { compileJsonSchema } from './json-schema.ts';
import { toBsonRegex } from './regex.ts';

type Entry = readonly [string, Value];

function details(operatorName: string, ...fields: readonly Entry[]): Document {
  return new Map<string, Value>([['operatorName', operatorName], ...fields]);
}

function single(name: string, value: Value): Document {
  return new Map([[name, value]]);
}

const ALIAS_OF_TYPE: ReadonlyMap<number, string> = new Map(
  Object.entries(BsonType).map(([name, number]) => [number, name]),
);

/** A leaf as it may have been written: `{ path: { $operator: argument } }`. */
function writtenAs(node: LeafNode): { readonly name: string; readonly argument: Value } {
  switch (node.kind) {
    case 'compare':
      return { name: `$${node.op}`, argument: node.value };
    case 'in':
    case 'nin':
      return {
        name: `$${node.kind}`,
        argument: [...node.values, ...node.regexes.map(toBsonRegex)],
      };
    case 'exists':
      return { name: '$exists', argument: node.exists };
    case 'regex':
      return { name: '$regex', argument: node.regex.pattern };
    case 'type': {
      const names = [...node.types].map((type) => ALIAS_OF_TYPE.get(type) ?? String(type));
      return { name: '$type', argument: names };
    }
    case 'mod':
      return { name: '$mod', argument: [Number(node.divisor), Number(node.remainder)] };
    case 'size':
      return { name: '$size', argument: node.size };
    case 'all':
      return { name: '$all', argument: node.children.map(childArgument) };
    case 'elemMatch':
      return { name: '$elemMatch', argument: childArgument(node.child) };
    case 'bits':
      return {
        name: `$bits${node.op[0]?.toUpperCase() ?? ''}${node.op.slice(1)}`,
        argument: [...node.positions],
      };
    case 'geo':
      return { name: '$geoWithin', argument: null };
  }
}

function childArgument(node: FilterNode): Value {
  if (node.kind === 'compare' && node.op === 'eq') return node.value;
  if (node.kind === 'regex') return toBsonRegex(node.regex);
  return specification(node);
}

/** The query document a node stands for. */
function specification(node: FilterNode): Document {
  switch (node.kind) {
    case 'and':
    case 'or':
    case 'nor':
      return single(`$${node.kind}`, node.children.map(specification));
    case 'not':
      return single('$not', specification(node.child));
    case 'expr':
      return single('$expr', node.expression);
    case 'jsonSchema':
      return single('$jsonSchema', node.schema);
    case 'text':
      return single('$text', single('$search', node.search));
    case 'always':
      return single(node.value ? '$alwaysTrue' : '$alwaysFalse', 1);
    case 'sampleRate':
      return single('$sampleRate', node.rate);
    default: {
      const { name, argument } = writtenAs(node);
      const operator = single(name, argument);
      if (node.kind === 'regex' && node.regex.options !== '') {
        operator.set('$options', node.regex.options);
      }
      return node.path === '' ? operator : single(node.path, operator);
    }
  }
}

const REASONS: Readonly<Record<LeafNode['kind'], readonly [failed: string, held: string]>> = {
  compare: ['comparison failed', 'comparison succeeded'],
  in: ['no matching value found in array', 'matching value found in array'],
  nin: ['matching value found in array', 'no matching value found in array'],
  exists: ['path does not exist', 'path does exist'],
  regex: ['regular expression did not match', 'regular expression did match'],
  type: ['type did not match', 'type did match'],
  mod: ['$mod did not evaluate to expected remainder', '$mod did evaluate to expected remainder'],
  size: ['array length was not equal to given size', 'array length was equal to given size'],
  all: ['array did not contain all specified values', 'array did contain all specified values'],
  elemMatch: ['array did not satisfy the child predicate', 'array did satisfy the child predicate'],
  bits: ['bitwise operator failed to match', 'bitwise operator matched successfully'],
  geo: [
    "none of the considered geometries was contained within the expression's geometry",
    "at least one considered geometry was contained within the expression's geometry",
  ],
};

const WHOLE_ARRAY: ReadonlySet<string> = new Set(['size', 'elemMatch', 'exists', 'geo', 'all']);

/** @param inverted - explains why a leaf holds that should not */
function leafDetails(node: LeafNode, document: Document, inverted: boolean): Document {
  const { name } = writtenAs(node);
  const [failed, held] = REASONS[node.kind];
  const result = details(name, ['specifiedAs', specification(node)]);
  if (node.kind === 'exists') {
    result.set('reason', node.exists === inverted ? held : failed);
    return result;
  }
  const expand = !WHOLE_ARRAY.has(node.kind);
  const values = collectPath(document, splitPath(node.path), expand).filter(
    (value) => value !== undefined,
  );
  if (values.length === 0) {
    result.set('reason', 'field was missing');
    return result;
  }
  result.set('reason', inverted ? held : failed);
  const [only] = values;
  if (values.length === 1 && only !== undefined) {
    result.set('consideredValue', only);
  } else {
    result.set('consideredValues', values);
  }
  if (node.kind === 'type') {
    if (values.length === 1) result.set('consideredType', typeName(only));
    else result.set('consideredTypes', [...new Set(values.map(typeName))]);
  }
  return result;
}

/** Explains nodes of one validator. */
class Explainer {
  private readonly options: FilterOptions;

  constructor(options: FilterOptions) {
    this.options = options;
  }

  private holds(node: FilterNode, document: Document): boolean {
    return compileFilterNode(node, this.options).matches(document);
  }

  private clauses(
    node: LogicalNode,
    document: Document,
    wanted: boolean,
    inverted: boolean,
  ): Value[] {
    return node.children.flatMap((child, index): Value[] =>
      this.holds(child, document) === wanted
        ? [
            new Map<string, Value>([
              ['index', index],
              ['details', this.explain(child, document, inverted)],
            ]),
          ]
        : [],
    );
  }

  private logical(node: LogicalNode, document: Document, inverted: boolean): Document {
    // A failing $nor and an inverted $and or $or are explained by the clauses that hold.
    const byHolding = (node.kind === 'nor') !== inverted;
    const name = byHolding ? 'clausesSatisfied' : 'clausesNotSatisfied';
    return details(`$${node.kind}`, [name, this.clauses(node, document, byHolding, byHolding)]);
  }

  explain(node: FilterNode, document: Document, inverted: boolean): Document {
    switch (node.kind) {
      case 'and':
      case 'or':
      case 'nor':
        return this.logical(node, document, inverted);
      case 'not':
        return details('$not', ['details', this.explain(node.child, document, !inverted)]);
      case 'jsonSchema':
        return inverted
          ? details('$jsonSchema', ['reason', 'schema matched'])
          : compileJsonSchema(node.schema).explain(document);
      case 'expr':
        return details(
          '$expr',
          ['specifiedAs', specification(node)],
          ['reason', inverted ? 'expression matched' : 'expression did not match'],
          ['expressionResult', this.expressionResult(node.expression, document)],
        );
      case 'always':
        return details(
          node.value ? '$alwaysTrue' : '$alwaysFalse',
          ['specifiedAs', specification(node)],
          ['reason', `expression always evaluates to ${node.value}`],
        );
      case 'text':
      case 'sampleRate':
        return details(`$${node.kind}`, ['specifiedAs', specification(node)]);
      default:
        return leafDetails(node, document, inverted);
    }
  }

  private expressionResult(expression: Value, document: Document): Value {
    const { compileExpression, variables } = this.options;
    return compileExpression?.(expression, variables)(document) ?? null;
  }
}

/**
 * The `errInfo` of error 121 for a document that fails a validator: failingDocumentId and details.
 *
 * @param options - those the filter was compiled with
 */
export function explainValidationFailure(
  validator: Filter,
  document: Document,
  options: FilterOptions = {},
): Document {
  const explanation = new Explainer(options).explain(validator.root, document, false);
  return new Map<string, Value>([
    ['failingDocumentId', document.get('_id') ?? null],
    ['details', explanation],
  ]);
}
