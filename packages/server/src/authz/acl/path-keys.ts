/**
 * Which paths a predicate can hold for, as far as its text says: the ground of the index that spares
 * looking at every rule of a large ACL. A superset is harmless, for the predicate itself decides.
 */
import type { Argument, PredicateNode } from './predicate-parser.ts';

/** Literal segments beyond this many are not looked at. */
const MAX_SEGMENTS = 3;

/** Keys of the paths, `a/b/c` at the longest; undefined: any path. */
export function pathKeysOf(node: PredicateNode): readonly string[] | undefined {
  switch (node.kind) {
    case 'constant':
      return node.value ? undefined : [];
    case 'not':
      return undefined;
    case 'and': {
      const known = node.children.map(pathKeysOf).filter((keys) => keys !== undefined);
      // any one of the conditions narrows; the one with the longest keys narrows most
      return known.toSorted((a, b) => shortest(b) - shortest(a))[0];
    }
    case 'or': {
      const keys = node.children.map(pathKeysOf);
      return keys.every((own) => own !== undefined) ? keys.flat() : undefined;
    }
    case 'call':
      return keysOfCall(node);
  }
}

/** The keys under which rules for this path may be found, besides those for any path. */
export function* keysOfPath(path: string): Generator<string> {
  let key = '';
  let depth = 0;
  for (const segment of path.split('/')) {
    if (segment === '') continue;
    key = key === '' ? segment : `${key}/${segment}`;
    yield key;
    depth += 1;
    if (depth === MAX_SEGMENTS) return;
  }
}

function shortest(keys: readonly string[]): number {
  return keys.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...keys.map(depthOf));
}

function depthOf(key: string): number {
  return key.split('/').length;
}

type Call = Extract<PredicateNode, { kind: 'call' }>;

function keysOfCall(call: Call): readonly string[] | undefined {
  if (call.name === 'path' || call.name === 'path-prefix') {
    const named = call.named.get('path');
    return keysOfArguments(named === undefined ? call.positional : [named]);
  }
  if (call.name !== 'path-template' || call.named.has('match') || call.positional.length > 1) {
    return undefined;
  }
  const template = call.named.get('value') ?? call.positional[0];
  return template === undefined ? undefined : keysOfArguments([template]);
}

function keysOfArguments(given: readonly Argument[]): readonly string[] | undefined {
  const keys: string[] = [];
  for (const argument of given.flatMap((one) => (one.kind === 'array' ? one.items : [one]))) {
    if (argument.kind !== 'text') return undefined;
    const key = keyOfText(argument.text);
    if (key === '') return undefined;
    keys.push(key);
  }
  return keys.length === 0 ? undefined : keys;
}

/** The segments before the first one that stands for others. */
function keyOfText(text: string): string {
  const literal: string[] = [];
  for (const segment of text.split('/')) {
    if (segment === '') continue;
    if (/[{}*%$]/.test(segment) || literal.length === MAX_SEGMENTS) break;
    literal.push(segment);
  }
  return literal.join('/');
}
