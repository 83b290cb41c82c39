/** From filter nodes to closures that test documents. */

import { decodeDocument } from '../bson/codec.ts';
import type { Collator } from '../bson/compare.ts';
import { splitPath, visitPath } from '../bson/path.ts';
import { isTrue } from '../bson/truth.ts';
import { type Document, RawDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { ValueTest } from './filter-leaf-test.ts';
import { bitsTest, compareTest, inTest, modTest, regexTest, typeTest } from './filter-leaf-test.ts';
import type { ElemMatchNode, FilterNode, LeafNode, TextNode } from './filter-node.ts';

export type DocumentTest = (document: Document) => boolean;

export interface MatchContext {
  readonly collation: Collator | undefined;
  compileExpression(expression: Value): (document: Document) => Value | undefined;
  compileJsonSchema(schema: Document): DocumentTest;
  compileText(node: TextNode): DocumentTest;
}

// ---------------------------------------------------------------- tests of one value

/** An array element as the document its fields are looked up in; nested arrays by their indexes. */
function elementDocument(value: Value | undefined): Document | undefined {
  if (value instanceof Map) return value;
  if (value instanceof RawDocument) return decodeDocument(value.bytes);
  if (!Array.isArray(value)) return undefined;
  return new Map(value.map((item, index) => [String(index), item]));
}

/** `$elemMatch` on one element. */
export function elementTest(node: ElemMatchNode, context: MatchContext): ValueTest {
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

/** The test of one value by an operator that is no logic. */
export function compileLeafTest(node: LeafNode, context: MatchContext): ValueTest {
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
