/** Which element of an array the positional `$` stands for: the first one that a filter has matched. */
import { splitPath, visitPath } from '../bson/path.ts';
import type { Document } from '../bson/value.ts';
import type { MatchContext } from './filter-match.ts';
import { compileDocumentTest, compileLeafTest, elementTest } from './filter-match.ts';
import type { ElemMatchNode, FilterNode, LeafNode } from './filter-node.ts';

/** The place in the outermost array that made the document match; `undefined` for none. */
export type PositionFinder = (document: Document) => number | undefined;

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
