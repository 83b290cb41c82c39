/** Which part of a document a filter looks at. */
import type { FilterNode } from './filter-node.ts';

/** With more than this decoding the whole document costs little more. */
const MAX_FIELDS = 8;

/**
 * The top-level fields that decide whether a document matches; `undefined` when it may be any of
 * them, or too many for the question to pay.
 */
export function fieldsOfFilter(root: FilterNode): ReadonlySet<string> | undefined {
  const fields = new Set<string>();
  return collect(root, fields) && fields.size <= MAX_FIELDS ? fields : undefined;
}

function collect(node: FilterNode, fields: Set<string>): boolean {
  switch (node.kind) {
    case 'and':
    case 'or':
    case 'nor':
      return node.children.every((child) => collect(child, fields));
    case 'not':
      return collect(node.child, fields);
    case 'expr':
    case 'jsonSchema':
    case 'text':
      return false;
    case 'always':
    case 'sampleRate':
      return true;
    default: {
      // children of $all and $elemMatch look below the same path
      const [top = ''] = node.path.split('.', 1);
      fields.add(top);
      return true;
    }
  }
}
