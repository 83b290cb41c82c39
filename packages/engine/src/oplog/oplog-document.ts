/** Log entries in the form of MongoDB's `local.oplog.rs`, which shells and tools read. */
import { type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import { type OplogEntry, toTimestamp } from './oplog-entry.ts';

/** The term of the engine's only election; a set of several members keeps its own elsewhere. */
const TERM = 1n;
const VERSION = 2n;

/**
 * An entry as MongoDB shows it: a transaction as one document with its `applyOps`, an entry without
 * operations as a note. The operations of a batch, which share an entry here, are a document each
 * and have its time in common.
 */
export function toOplogDocuments(entry: OplogEntry): Document[] {
  const operations = entry.operations.map(toOperation);
  if (operations.length === 0) {
    return [complete(entry, { op: 'n', ns: '', o: toDocument({ msg: 'periodic noop' }) })];
  }
  if (entry.isTransaction) {
    const o = toDocument({ applyOps: operations });
    return [complete(entry, { op: 'c', ns: 'admin.$cmd', o })];
  }
  return operations.map((operation) => complete(entry, Object.fromEntries(operation)));
}

function complete(entry: OplogEntry, what: Readonly<Record<string, Value>>): Document {
  return toDocument({
    lsid: entry.lsid,
    txnNumber: entry.transactionNumber,
    ...what,
    ts: toTimestamp(entry.position),
    t: TERM,
    v: VERSION,
    wall: entry.wall,
  });
}

function toOperation(stored: Document): Document {
  const base = { op: stored.get('op'), ns: stored.get('ns'), ui: stored.get('ui') };
  const key = stored.get('o2');
  switch (stored.get('op')) {
    case 'i': {
      const document = stored.get('o');
      const id = isDocument(document) ? document.get('_id') : undefined;
      return toDocument({ ...base, o: document, o2: toDocument({ _id: id }) });
    }
    case 'u': {
      const o = stored.get('o') ?? toDocument({ $v: 2, diff: toDiff(stored.get('diff')) });
      return toDocument({ ...base, o, o2: key });
    }
    case 'd':
      return toDocument({ ...base, o: key });
    default:
      return toDocument({ ...base, o: stored.get('o') });
  }
}

/** A place of the changed document on the way to what changed. */
interface DiffNode {
  readonly updated: [string, Value][];
  readonly removed: string[];
  newSize: number | undefined;
  readonly children: Map<string, DiffNode>;
}

function createNode(): DiffNode {
  return { updated: [], removed: [], newSize: undefined, children: new Map() };
}

/** MongoDB's diff, version 2: `u` updated, `d` deleted, `s<field>` a change below, `a` an array. */
function toDiff(description: Value | undefined): Document {
  const root = createNode();
  if (!isDocument(description)) return toDocument({});
  const updated = description.get('updatedFields');
  for (const [path, value] of isDocument(updated) ? updated : []) {
    const { node, last } = descend(root, path);
    node.updated.push([last, value]);
  }
  for (const path of listOf(description.get('removedFields'))) {
    const { node, last } = descend(root, String(path));
    node.removed.push(last);
  }
  for (const item of listOf(description.get('truncatedArrays'))) {
    if (!isDocument(item)) continue;
    const { node, last } = descend(root, String(item.get('field')));
    childOf(node, last).newSize = Number(item.get('newSize'));
  }
  return formatNode(root);
}

function listOf(value: Value | undefined): readonly Value[] {
  return Array.isArray(value) ? value : [];
}

function descend(root: DiffNode, path: string): { node: DiffNode; last: string } {
  const parts = path.split('.');
  const last = parts.pop() ?? '';
  let node = root;
  for (const part of parts) node = childOf(node, part);
  return { node, last };
}

function childOf(node: DiffNode, name: string): DiffNode {
  const known = node.children.get(name);
  if (known !== undefined) return known;
  const child = createNode();
  node.children.set(name, child);
  return child;
}

const INDEX = /^\d+$/;

function formatNode(node: DiffNode): Document {
  const names = [...node.updated.map(([name]) => name), ...node.removed, ...node.children.keys()];
  const isArray = node.newSize !== undefined || (names.length > 0 && names.every(isIndex));
  const formatted: Document = new Map();
  if (isArray) formatted.set('a', true);
  if (node.newSize !== undefined) formatted.set('l', node.newSize);
  if (isArray) {
    for (const [name, value] of node.updated) formatted.set(`u${name}`, value);
  } else {
    if (node.removed.length > 0) {
      formatted.set('d', toDocument(Object.fromEntries(node.removed.map((name) => [name, false]))));
    }
    if (node.updated.length > 0) formatted.set('u', new Map(node.updated));
  }
  for (const [name, child] of node.children) formatted.set(`s${name}`, formatNode(child));
  return formatted;
}

function isIndex(name: string): boolean {
  return INDEX.test(name);
}
