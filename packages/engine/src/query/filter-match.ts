/** From filter nodes to closures that test documents. */

import { decodeDocument } from '../bson/codec.ts';
import {
  type Collator,
  compareValues,
  hashableKey,
  isNumeric,
  TypeOrder,
  typeOrder,
  valuesEqual,
} from '../bson/compare.ts';
import { toExactInt64 } from '../bson/numeric.ts';
import { splitPath, visitPath } from '../bson/path.ts';
import { isTrue } from '../bson/truth.ts';
import { typeNumber } from '../bson/types.ts';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  BsonUndefined,
  type Document,
  Double,
  MaxKey,
  MinKey,
  RawDocument,
  type Value,
} from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type {
  BitsNode,
  CompareNode,
  CompareOperator,
  ElemMatchNode,
  FilterNode,
  InNode,
  LeafNode,
  ModNode,
  TextNode,
  TypeNode,
} from './filter-node.ts';
import { truncatedInt64 } from './filter-parse.ts';
import type { CompiledRegex } from './regex.ts';

export type DocumentTest = (document: Document) => boolean;
export type ValueTest = (value: Value | undefined) => boolean;
/** The place in the outermost array that made the document match; `undefined` for none. */
export type PositionFinder = (document: Document) => number | undefined;

export interface MatchContext {
  readonly collation: Collator | undefined;
  compileExpression(expression: Value): (document: Document) => Value | undefined;
  compileJsonSchema(schema: Document): DocumentTest;
  compileText(node: TextNode): DocumentTest;
}

// ---------------------------------------------------------------- tests of one value

const NEVER: ValueTest = () => false;

/** Equality with null, which a missing field has too (and BSON's undefined no longer, since 8.0). */
const isNullish: ValueTest = (value) => value === null || value === undefined;

function equalTest(target: Value, collation: Collator | undefined): ValueTest {
  if (target === null) return isNullish;
  switch (typeof target) {
    case 'string':
      if (collation === undefined) {
        return (value) =>
          value === target || (value instanceof BSONSymbol && value.value === target);
      }
      return (value) => valuesEqual(value, target, collation);
    case 'boolean':
      return (value) => value === target;
    case 'number':
      return (value) =>
        value === target ||
        (typeof value !== 'number' && isNumeric(value) && valuesEqual(value, target)) ||
        (Number.isNaN(target) && isNumeric(value) && valuesEqual(value, target));
    default: {
      const order = typeOrder(target);
      return (value) => typeOrder(value) === order && valuesEqual(value, target, collation);
    }
  }
}

const ACCEPTS: Readonly<Record<Exclude<CompareOperator, 'eq' | 'ne'>, (order: number) => boolean>> =
  {
    gt: (order) => order > 0,
    gte: (order) => order >= 0,
    lt: (order) => order < 0,
    lte: (order) => order <= 0,
  };

function isNaNNumber(value: Value | undefined): boolean {
  return (
    (typeof value === 'number' && Number.isNaN(value)) ||
    (value instanceof Object && isNumeric(value) && hashableKey(value) === 'nNaN')
  );
}

function rangeTest(
  op: Exclude<CompareOperator, 'eq' | 'ne'>,
  target: Value,
  collation: Collator | undefined,
): ValueTest {
  const orEqual = op === 'gte' || op === 'lte';
  if (target === null) return orEqual ? isNullish : NEVER;
  if (isNaNNumber(target)) return orEqual ? isNaNNumber : NEVER;
  if (target instanceof MinKey || target instanceof MaxKey) {
    const all =
      target instanceof MinKey ? op === 'gt' || op === 'gte' : op === 'lt' || op === 'lte';
    const order = typeOrder(target);
    return (value) => (typeOrder(value) === order ? orEqual : all);
  }
  if (typeof target === 'number' || target instanceof Double) {
    const plain = typeof target === 'number' ? target : target.value;
    return numberRangeTest(op, plain, target);
  }
  const accepts = ACCEPTS[op];
  const order = typeOrder(target);
  const numeric = order === TypeOrder.number;
  return (value) =>
    typeOrder(value) === order &&
    !(numeric && isNaNNumber(value)) &&
    accepts(compareValues(value, target, collation));
}

/** The frequent case, one comparison for each stored double or int32. */
function numberRangeTest(
  op: Exclude<CompareOperator, 'eq' | 'ne'>,
  plain: number,
  target: Value,
): ValueTest {
  const accepts = ACCEPTS[op];
  const other: ValueTest = (value) =>
    isNumeric(value) && !isNaNNumber(value) && accepts(compareValues(value, target));
  switch (op) {
    case 'gt':
      return (value) => (typeof value === 'number' ? value > plain : other(value));
    case 'gte':
      return (value) => (typeof value === 'number' ? value >= plain : other(value));
    case 'lt':
      return (value) => (typeof value === 'number' ? value < plain : other(value));
    case 'lte':
      return (value) => (typeof value === 'number' ? value <= plain : other(value));
  }
}

function compareTest(node: CompareNode, collation: Collator | undefined): ValueTest {
  if (node.op === 'eq' || node.op === 'ne') return equalTest(node.value, collation);
  return rangeTest(node.op, node.value, collation);
}

function regexTest(regex: CompiledRegex): ValueTest {
  const { regExp } = regex;
  return (value) => {
    if (typeof value === 'string') return regExp.test(value);
    if (value instanceof BSONSymbol) return regExp.test(value.value);
    return (
      value instanceof BSONRegExp &&
      value.pattern === regex.pattern &&
      value.options === regex.options
    );
  };
}

function inTest(node: InNode, collation: Collator | undefined): ValueTest {
  const keys = new Set(node.values.map((value) => hashableKey(value, collation)));
  const nullable = node.values.includes(null);
  const regexes = node.regexes.map(regexTest);
  if (keys.size === 0 && regexes.length === 0) return NEVER;
  return (value) => {
    if (value === undefined) return nullable;
    if (value instanceof BsonUndefined) return false;
    if (keys.has(hashableKey(value, collation))) return true;
    for (const regex of regexes) if (regex(value)) return true;
    return false;
  };
}

function typeTest(node: TypeNode): ValueTest {
  return (value) => value !== undefined && node.types.has(typeNumber(value));
}

function modTest(node: ModNode): ValueTest {
  const { divisor, remainder } = node;
  const small = divisor >= -2147483648n && divisor <= 2147483647n;
  const plainDivisor = Number(divisor);
  const plainRemainder = Number(remainder);
  return (value) => {
    if (small && typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER) {
      return Math.trunc(value) % plainDivisor === plainRemainder;
    }
    const whole = truncatedInt64(value);
    return whole !== undefined && whole % divisor === remainder;
  };
}

function bitsTest(node: BitsNode): ValueTest {
  const { op, positions } = node;
  const wantSet = op === 'allSet' || op === 'anySet';
  const all = op === 'allSet' || op === 'allClear';
  const decide = (isSet: (position: number) => boolean): boolean =>
    all
      ? positions.every((position) => isSet(position) === wantSet)
      : positions.some((position) => isSet(position) === wantSet);
  return (value) => {
    if (value instanceof Binary) {
      const { buffer, position: length } = value;
      return decide(
        (bit) => bit < length * 8 && (((buffer[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1,
      );
    }
    const whole = toExactInt64(value);
    if (whole === undefined) return false;
    // Positions past the last repeat the sign, as in two's complement.
    return decide((bit) => ((whole >> BigInt(Math.min(bit, 63))) & 1n) === 1n);
  };
}

/** An array element as the document its fields are looked up in; nested arrays by their indexes. */
function elementDocument(value: Value | undefined): Document | undefined {
  if (value instanceof Map) return value;
  if (value instanceof RawDocument) return decodeDocument(value.bytes);
  if (!Array.isArray(value)) return undefined;
  return new Map(value.map((item, index) => [String(index), item]));
}

function elementTest(node: ElemMatchNode, context: MatchContext): ValueTest {
  if (node.onValue) return compileValueTest(node.child, context);
  const test = compileDocumentTest(node.child, context);
  return (value) => {
    const document = elementDocument(value);
    return document !== undefined && test(document);
  };
}

/** The test of a node on one value, arrays not entered: what `$elemMatch` asks of each element. */
export function compileValueTest(node: FilterNode, context: MatchContext): ValueTest {
  switch (node.kind) {
    case 'and': {
      const tests = node.children.map((child) => compileValueTest(child, context));
      return (value) => tests.every((test) => test(value));
    }
    case 'or': {
      const tests = node.children.map((child) => compileValueTest(child, context));
      return (value) => tests.some((test) => test(value));
    }
    case 'nor': {
      const tests = node.children.map((child) => compileValueTest(child, context));
      return (value) => !tests.some((test) => test(value));
    }
    case 'not': {
      const test = compileValueTest(node.child, context);
      return (value) => !test(value);
    }
    case 'always':
      return () => node.value;
    case 'expr':
    case 'jsonSchema':
    case 'text':
    case 'sampleRate':
      throw new MongoCommandError('BadValue', `${node.kind} can only be applied to the top level`);
    default:
      return compileLeafTest(node, context);
  }
}

function compileLeafTest(node: LeafNode, context: MatchContext): ValueTest {
  switch (node.kind) {
    case 'compare': {
      const test = compareTest(node, context.collation);
      return node.op === 'ne' ? (value) => !test(value) : test;
    }
    case 'in':
      return inTest(node, context.collation);
    case 'nin': {
      const test = inTest(node, context.collation);
      return (value) => !test(value);
    }
    case 'exists':
      return (value) => (value !== undefined) === node.exists;
    case 'regex':
      return regexTest(node.regex);
    case 'type':
      return typeTest(node);
    case 'mod':
      return modTest(node);
    case 'size':
      return (value) => Array.isArray(value) && value.length === node.size;
    case 'bits':
      return bitsTest(node);
    case 'geo':
      return (value) => node.query.matches(value);
    case 'all': {
      const tests = node.children.map((child) => compileValueTest(child, context));
      return (value) => tests.length > 0 && tests.every((test) => test(value));
    }
    case 'elemMatch': {
      const test = elementTest(node, context);
      return (value) => Array.isArray(value) && value.some((item) => test(item));
    }
  }
}

// ---------------------------------------------------------------- tests of documents

/** Applies a value test to what a path leads to in a document. */
function onPath(path: string, expandLeaf: boolean, test: ValueTest): DocumentTest {
  const parts = splitPath(path);
  if (parts.length > 1) return (document) => visitPath(document, parts, expandLeaf, test);
  if (!expandLeaf) return (document) => test(document.get(path));
  return (document) => {
    const value = document.get(path);
    if (Array.isArray(value)) {
      for (const item of value) if (test(item)) return true;
    }
    return test(value);
  };
}

function negate(test: DocumentTest): DocumentTest {
  return (document) => !test(document);
}

function everyTest(tests: readonly DocumentTest[]): DocumentTest {
  const [first, second] = tests;
  if (first !== undefined && second !== undefined && tests.length === 2) {
    return (document) => first(document) && second(document);
  }
  return (document) => {
    for (const test of tests) if (!test(document)) return false;
    return true;
  };
}

function someTest(tests: readonly DocumentTest[]): DocumentTest {
  return (document) => {
    for (const test of tests) if (test(document)) return true;
    return false;
  };
}

/** Compiles a node once, to be applied to many documents. */
export function compileDocumentTest(node: FilterNode, context: MatchContext): DocumentTest {
  switch (node.kind) {
    case 'and':
      return everyTest(node.children.map((child) => compileDocumentTest(child, context)));
    case 'or':
      return someTest(node.children.map((child) => compileDocumentTest(child, context)));
    case 'nor':
      return negate(someTest(node.children.map((child) => compileDocumentTest(child, context))));
    case 'not':
      return negate(compileDocumentTest(node.child, context));
    case 'always':
      return () => node.value;
    case 'sampleRate':
      return () => Math.random() < node.rate;
    case 'expr': {
      const evaluate = context.compileExpression(node.expression);
      return (document) => isTrue(evaluate(document));
    }
    case 'jsonSchema':
      return context.compileJsonSchema(node.schema);
    case 'text':
      return context.compileText(node);
    default:
      return compileLeaf(node, context);
  }
}

function compileLeaf(node: LeafNode, context: MatchContext): DocumentTest {
  switch (node.kind) {
    case 'compare': {
      const test = onPath(node.path, true, compareTest(node, context.collation));
      return node.op === 'ne' ? negate(test) : test;
    }
    case 'in':
      return onPath(node.path, true, inTest(node, context.collation));
    case 'nin':
      return negate(onPath(node.path, true, inTest(node, context.collation)));
    case 'exists': {
      const test = onPath(node.path, false, (value) => value !== undefined);
      return node.exists ? test : negate(test);
    }
    case 'all': {
      if (node.children.length === 0) return () => false;
      return everyTest(node.children.map((child) => compileDocumentTest(child, context)));
    }
    case 'size':
    case 'elemMatch':
    case 'geo':
      return onPath(node.path, false, compileLeafTest(node, context));
    default:
      return onPath(node.path, true, compileLeafTest(node, context));
  }
}

// ---------------------------------------------------------------- positions

/**
 * Finds the array place the positional operator stands for. With several arrays in the query the
 * last one wins; a negated condition never gives a place.
 */
export function compilePosition(node: FilterNode, context: MatchContext): PositionFinder {
  switch (node.kind) {
    case 'and':
    case 'all': {
      const finders = node.children.map((child) => compilePosition(child, context));
      return (document) => {
        let place: number | undefined;
        for (const find of finders) place = find(document) ?? place;
        return place;
      };
    }
    case 'or': {
      const alternatives = node.children.map((child) => ({
        test: compileDocumentTest(child, context),
        find: compilePosition(child, context),
      }));
      return (document) => alternatives.find(({ test }) => test(document))?.find(document);
    }
    case 'elemMatch':
      return elemMatchPosition(node, context);
    case 'compare':
      return node.op === 'ne' ? () => undefined : leafPosition(node, context);
    case 'in':
    case 'regex':
    case 'type':
    case 'mod':
    case 'bits':
    case 'size':
    case 'exists':
    case 'geo':
      return leafPosition(node, context);
    default:
      return () => undefined;
  }
}

function leafPosition(node: LeafNode, context: MatchContext): PositionFinder {
  const parts = splitPath(node.path);
  const expand = !['exists', 'size', 'geo'].includes(node.kind);
  const test = compileLeafTest(node, context);
  return (document) => {
    let place: number | undefined;
    visitPath(document, parts, expand, (value, index) => {
      if (!test(value)) return false;
      place = index;
      return true;
    });
    return place;
  };
}

function elemMatchPosition(node: ElemMatchNode, context: MatchContext): PositionFinder {
  const parts = splitPath(node.path);
  const test = elementTest(node, context);
  return (document) => {
    let place: number | undefined;
    visitPath(document, parts, false, (value, index) => {
      if (!Array.isArray(value)) return false;
      const found = value.findIndex((item) => test(item));
      if (found === -1) return false;
      place = index ?? found;
      return true;
    });
    return place;
  };
}
