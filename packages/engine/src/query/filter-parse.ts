/** From a query document to filter nodes, with MongoDB's checks (manual, "Query Predicates"). */

import { isNumeric } from '../bson/compare.ts';
import { toNumber } from '../bson/numeric.ts';
import { isTrue } from '../bson/truth.ts';
import { BSONRegExp, BsonUndefined, type Document, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CompareOperator, FilterNode } from './filter-node.ts';
import {
  bad,
  failed,
  geo,
  parseBits,
  parseMod,
  parseNear,
  parseRegex,
  parseSize,
  parseText,
} from './filter-operands.ts';
import { type CompiledRegex, compileBsonRegex } from './regex.ts';
import { parseTypeSet } from './type-alias.ts';

export const ALWAYS_TRUE: FilterNode = { kind: 'always', value: true };

function conjunction(children: readonly FilterNode[]): FilterNode {
  const flat = children.flatMap((child) => (child.kind === 'and' ? child.children : [child]));
  const useful = flat.filter((child) => !(child.kind === 'always' && child.value));
  if (useful.length === 0) return ALWAYS_TRUE;
  const [only] = useful;
  return useful.length === 1 && only !== undefined ? only : { kind: 'and', children: useful };
}

/** Parses a whole query document. */
export function parseFilter(filter: Document): FilterNode {
  const children: FilterNode[] = [];
  for (const [name, value] of filter) {
    if (name.startsWith('$')) {
      const node = parseTopLevel(name, value);
      if (node !== undefined) children.push(node);
    } else {
      children.push(...parsePath(name, value));
    }
  }
  return conjunction(children);
}

function parseTopLevel(name: string, value: Value): FilterNode | undefined {
  switch (name) {
    case '$and':
      return conjunction(parseClauses(name, value));
    case '$or': {
      const children = parseClauses(name, value);
      const [only] = children;
      return children.length === 1 && only !== undefined ? only : { kind: 'or', children };
    }
    case '$nor':
      return { kind: 'nor', children: parseClauses(name, value) };
    case '$comment':
      return undefined;
    case '$expr':
      return { kind: 'expr', expression: value };
    case '$jsonSchema':
      if (!(value instanceof Map)) {
        throw new MongoCommandError('TypeMismatch', '$jsonSchema must be an object');
      }
      return { kind: 'jsonSchema', schema: value };
    case '$text':
      return parseText(value);
    case '$alwaysTrue':
    case '$alwaysFalse':
      if (!isNumeric(value) || toNumber(value) !== 1) {
        throw failed(`${name} must be an integer value of 1`);
      }
      return { kind: 'always', value: name === '$alwaysTrue' };
    case '$sampleRate': {
      const rate = isNumeric(value) ? toNumber(value) : Number.NaN;
      if (!isNumeric(value)) throw bad('argument to $sampleRate must be a numeric type');
      if (!(rate >= 0 && rate <= 1)) throw bad('numeric argument to $sampleRate must be in [0, 1]');
      return { kind: 'sampleRate', rate };
    }
    case '$where':
      throw bad('$where is not supported: this server runs no JavaScript');
    case '$ref':
    case '$id':
    case '$db':
      return { kind: 'compare', path: name, op: 'eq', value };
    default:
      throw bad(
        `unknown top level operator: ${name}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`,
      );
  }
}

function parseClauses(name: string, value: Value): FilterNode[] {
  if (!Array.isArray(value)) throw bad(`${name} must be an array`);
  if (value.length === 0) throw bad('$and/$or/$nor must be a nonempty array');
  return value.map((clause) => {
    if (!(clause instanceof Map)) throw bad('$or/$and/$nor entries need to be full objects');
    return parseFilter(clause);
  });
}

/** A document whose first field is an operator, and which is no DBRef. */
function isOperatorDocument(value: Value): value is Document {
  if (!(value instanceof Map)) return false;
  const [first] = value.keys();
  return first?.startsWith('$') === true && first !== '$ref' && first !== '$id' && first !== '$db';
}

function parsePath(path: string, value: Value): readonly FilterNode[] {
  if (isOperatorDocument(value)) return parseOperators(path, value);
  if (value instanceof BSONRegExp) {
    return [{ kind: 'regex', path, regex: compileBsonRegex(value) }];
  }
  return [compare(path, 'eq', value)];
}

function compare(path: string, op: CompareOperator, value: Value): FilterNode {
  if (value instanceof BsonUndefined) throw bad('cannot compare to undefined');
  if (value instanceof BSONRegExp && op !== 'eq') {
    throw bad(
      op === 'ne'
        ? "Can't have regex as arg to $ne."
        : `Can't have RegEx as arg to predicate over field '${path}'.`,
    );
  }
  return { kind: 'compare', path, op, value };
}

function parseOperators(path: string, operators: Document): readonly FilterNode[] {
  const nodes: FilterNode[] = [];
  for (const [name, value] of operators) {
    const node = parseOperator(path, name, value, operators);
    if (node !== undefined) nodes.push(node);
  }
  return nodes;
}

function parseOperator(
  path: string,
  name: string,
  value: Value,
  siblings: Document,
): FilterNode | undefined {
  switch (name) {
    case '$eq':
    case '$ne':
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return compare(path, name.slice(1) as CompareOperator, value);
    case '$in':
    case '$nin':
      return parseIn(path, name, value);
    case '$not':
      return parseNot(path, value);
    case '$exists':
      return { kind: 'exists', path, exists: isTrue(value) };
    case '$type':
      return { kind: 'type', path, types: parseTypeSet(value) };
    case '$mod':
      return parseMod(path, value);
    case '$size':
      return parseSize(path, value);
    case '$regex':
      return { kind: 'regex', path, regex: parseRegex(value, siblings.get('$options')) };
    case '$options':
      if (!siblings.has('$regex')) throw bad('$options needs a $regex');
      return undefined;
    case '$all':
      return parseAll(path, value);
    case '$elemMatch':
      return parseElemMatch(path, value);
    case '$bitsAllSet':
    case '$bitsAllClear':
    case '$bitsAnySet':
    case '$bitsAnyClear':
      return parseBits(path, name, value);
    case '$geoWithin':
    case '$within':
      return geo(path, 'within', name, value);
    case '$geoIntersects':
      return geo(path, 'intersects', name, value);
    case '$near':
    case '$geoNear':
    case '$nearSphere':
      return parseNear(path, name, siblings);
    case '$maxDistance':
    case '$minDistance':
      if (siblings.has('$near') || siblings.has('$nearSphere') || siblings.has('$geoNear')) {
        return undefined;
      }
      throw bad(`unknown operator: ${name}`);
    case '$comment':
      return undefined;
    default:
      throw bad(`unknown operator: ${name}`);
  }
}

function parseIn(path: string, name: '$in' | '$nin', value: Value): FilterNode {
  if (!Array.isArray(value)) throw bad(`${name} needs an array`);
  const values: Value[] = [];
  const regexes: CompiledRegex[] = [];
  for (const item of value) {
    if (isOperatorDocument(item)) throw bad(`cannot nest $ under ${name}`);
    if (item instanceof BsonUndefined) throw bad('InMatchExpression equality cannot be undefined');
    if (item instanceof BSONRegExp) regexes.push(compileBsonRegex(item));
    else values.push(item);
  }
  return { kind: name === '$in' ? 'in' : 'nin', path, values, regexes };
}

function parseNot(path: string, value: Value): FilterNode {
  if (value instanceof BSONRegExp) {
    return { kind: 'not', child: { kind: 'regex', path, regex: compileBsonRegex(value) } };
  }
  if (!(value instanceof Map)) throw bad('$not needs a regex or a document');
  if (value.size === 0) throw bad('$not cannot be empty');
  return { kind: 'not', child: conjunction(parseOperators(path, value)) };
}

function parseAll(path: string, value: Value): FilterNode {
  if (!Array.isArray(value)) throw bad('$all needs an array');
  const [first] = value;
  const elemMatches = first instanceof Map && [...first.keys()][0] === '$elemMatch';
  const children = value.map((item): FilterNode => {
    if (elemMatches) {
      const argument = item instanceof Map ? item.get('$elemMatch') : undefined;
      if (argument === undefined) throw bad('$all/$elemMatch has to be consistent');
      return parseElemMatch(path, argument);
    }
    if (item instanceof Map && [...item.keys()][0] === '$elemMatch') {
      throw bad('$all/$elemMatch has to be consistent');
    }
    if (isOperatorDocument(item)) throw bad('no $ expressions in $all');
    if (item instanceof BSONRegExp) return { kind: 'regex', path, regex: compileBsonRegex(item) };
    return compare(path, 'eq', item);
  });
  return { kind: 'all', path, children };
}

function parseElemMatch(path: string, value: Value): FilterNode {
  if (!(value instanceof Map)) throw bad('$elemMatch needs an Object');
  const [first] = value.keys();
  const onValue =
    isOperatorDocument(value) && !['$and', '$or', '$nor', '$where', '$expr'].includes(first ?? '');
  const child = onValue ? conjunction(parseOperators('', value)) : parseFilter(value);
  return { kind: 'elemMatch', path, onValue, child };
}

/** The value each path must equal for the node to match: what an upsert starts from. */
export function equalities(node: FilterNode, visit: (path: string, value: Value) => void): void {
  switch (node.kind) {
    case 'and':
      for (const child of node.children) equalities(child, visit);
      return;
    case 'or':
      if (node.children.length === 1) {
        for (const child of node.children) equalities(child, visit);
      }
      return;
    case 'compare':
      if (node.op === 'eq') visit(node.path, node.value);
      return;
    case 'in': {
      const [only] = node.values;
      if (node.values.length === 1 && node.regexes.length === 0 && only !== undefined) {
        visit(node.path, only);
      }
      return;
    }
    case 'all': {
      // $all with one element asks for that value as much as an equality does.
      const [only] = node.children;
      if (node.children.length === 1 && only !== undefined) equalities(only, visit);
      return;
    }
    default:
  }
}
