import { Binary, type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import { type OplogEntry, toTimestamp } from './oplog-entry.ts';
import { formatResumeToken, type ResumePoint } from './resume-token.ts';

/** What a change stream watches; without a collection a database, without both the whole server. */
export interface WatchedScope {
  readonly database?: string | undefined;
  readonly collection?: string | undefined;
}

/** A change event and what has to be known of it before it can be sent. */
export interface ChangeEvent {
  readonly point: ResumePoint;
  readonly document: Document;
  readonly namespace: { readonly database: string; readonly collection: string | undefined };
  readonly kind: string;
  /** The identity of the document that an insert, update, replace or delete is about. */
  readonly documentKey: Document | undefined;
  readonly preImage: Value | undefined;
  readonly postImage: Value | undefined;
}

/** Event kinds that appear only with showExpandedEvents. */
const EXPANDED_KINDS: ReadonlySet<string> = new Set([
  'create',
  'createIndexes',
  'dropIndexes',
  'modify',
]);

/** The events of one entry inside `scope`, in order (manual, "Change Events"). */
export function* eventsOf(
  entry: OplogEntry,
  scope: WatchedScope,
  showExpanded: boolean,
): Generator<ChangeEvent> {
  for (const [index, operation] of entry.operations.entries()) {
    const namespace = namespaceOf(operation);
    if (!isWatched(operation, namespace, scope)) continue;
    const event = toEvent(entry, index, operation, namespace, showExpanded);
    if (event === undefined) continue;
    if (EXPANDED_KINDS.has(event.kind) && !showExpanded) continue;
    yield event;
    if (invalidates(event, scope)) yield invalidation(entry, index);
  }
}

interface Namespace {
  readonly database: string;
  readonly collection: string | undefined;
}

/** Of a catalog command the namespace it is about, else that of the document. */
function namespaceOf(operation: Document): Namespace {
  const ns = String(operation.get('ns'));
  const command = operation.get('o');
  const { database, collection } = splitNamespace(ns);
  if (operation.get('op') !== 'c' || !isDocument(command)) return { database, collection };
  const [[name, target] = ['', null]] = command;
  if (name === 'renameCollection') return splitNamespace(String(target));
  if (name === 'dropDatabase') return { database, collection: undefined };
  return { database, collection: String(target) };
}

export function splitNamespace(ns: string): { database: string; collection: string } {
  const dot = ns.indexOf('.');
  return dot === -1
    ? { database: ns, collection: '' }
    : { database: ns.slice(0, dot), collection: ns.slice(dot + 1) };
}

const HIDDEN_DATABASES: ReadonlySet<string> = new Set(['admin', 'config', 'local']);

function isWatched(operation: Document, namespace: Namespace, scope: WatchedScope): boolean {
  if (scope.database === undefined) {
    return !HIDDEN_DATABASES.has(namespace.database) && !isSystem(namespace.collection);
  }
  if (renameTarget(operation, scope)) return true;
  if (namespace.database !== scope.database) return false;
  if (scope.collection === undefined) return !isSystem(namespace.collection);
  return namespace.collection === undefined || namespace.collection === scope.collection;
}

function isSystem(collection: string | undefined): boolean {
  return collection?.startsWith('system.') ?? false;
}

/** A rename onto the watched collection concerns its stream too. */
function renameTarget(operation: Document, scope: WatchedScope): boolean {
  const command = operation.get('o');
  if (operation.get('op') !== 'c' || !isDocument(command) || !command.has('renameCollection')) {
    return false;
  }
  const to = splitNamespace(String(command.get('to')));
  if (to.database !== scope.database) return false;
  return scope.collection === undefined || to.collection === scope.collection;
}

function toEvent(
  entry: OplogEntry,
  index: number,
  operation: Document,
  namespace: Namespace,
  showExpanded: boolean,
): ChangeEvent | undefined {
  const kind = kindOf(operation);
  if (kind === undefined) return undefined;
  const point: ResumePoint = { position: entry.position, index, kind: 'event' };
  const documentKey = documentKeyOf(operation);
  const document = toDocument({
    _id: formatResumeToken(point),
    operationType: kind,
    clusterTime: toTimestamp(entry.position),
    ...(entry.isTransaction && { lsid: entry.lsid, txnNumber: entry.transactionNumber }),
  });
  if (showExpanded && operation.get('ui') instanceof Binary) {
    document.set('collectionUUID', operation.get('ui') ?? null);
  }
  document.set('wallTime', entry.wall);
  if (kind === 'insert' || kind === 'replace') {
    document.set('fullDocument', operation.get('o') ?? null);
  }
  document.set('ns', toDocument({ db: namespace.database, coll: namespace.collection }));
  if (documentKey !== undefined) document.set('documentKey', documentKey);
  addDescription(document, kind, operation, showExpanded);
  return {
    point,
    document,
    namespace,
    kind,
    documentKey,
    preImage: operation.get('pre'),
    postImage: kind === 'replace' ? operation.get('o') : operation.get('post'),
  };
}

/** An inserted document carries its own `_id`. */
function documentKeyOf(operation: Document): Document | undefined {
  const op = operation.get('op');
  if (op === 'c') return undefined;
  const key = operation.get('o2');
  if (isDocument(key)) return key;
  const document = operation.get('o');
  if (op !== 'i' || !isDocument(document)) return undefined;
  return new Map([['_id', document.get('_id') ?? null]]);
}

function kindOf(operation: Document): string | undefined {
  switch (operation.get('op')) {
    case 'i':
      return 'insert';
    case 'u':
      return operation.has('o') ? 'replace' : 'update';
    case 'd':
      return 'delete';
    case 'c':
      return commandKind(operation.get('o'));
    default:
      return undefined;
  }
}

const COMMAND_KINDS: Readonly<Record<string, string>> = {
  create: 'create',
  createIndexes: 'createIndexes',
  dropIndexes: 'dropIndexes',
  collMod: 'modify',
  drop: 'drop',
  renameCollection: 'rename',
  dropDatabase: 'dropDatabase',
};

function commandKind(command: Value | undefined): string | undefined {
  if (!isDocument(command)) return undefined;
  const [name] = command.keys();
  return name === undefined ? undefined : COMMAND_KINDS[name];
}

function addDescription(
  document: Document,
  kind: string,
  operation: Document,
  showExpanded: boolean,
): void {
  const command = operation.get('o');
  if (kind === 'update') {
    const diff = operation.get('diff');
    const description: Document = isDocument(diff) ? new Map(diff) : new Map();
    const ambiguous = description.get('disambiguatedPaths') ?? new Map();
    description.delete('disambiguatedPaths');
    if (showExpanded) description.set('disambiguatedPaths', ambiguous);
    document.set('updateDescription', description);
    return;
  }
  if (!isDocument(command) || operation.get('op') !== 'c') return;
  if (kind === 'rename') {
    const to = splitNamespace(String(command.get('to')));
    const target = toDocument({ db: to.database, coll: to.collection });
    document.set('to', target);
    if (showExpanded) {
      document.set(
        'operationDescription',
        toDocument({ to: target, dropTarget: command.get('dropTarget') }),
      );
    }
  } else if (EXPANDED_KINDS.has(kind)) {
    const [first] = command.keys();
    const details: Document = new Map(command);
    if (first !== undefined) details.delete(first);
    document.set('operationDescription', details);
    const before = operation.get('before');
    if (before !== undefined) document.set('stateBeforeChange', before);
  }
}

/** After these a stream has nothing left to watch (manual, "invalidate Event"). */
function invalidates(event: ChangeEvent, scope: WatchedScope): boolean {
  if (scope.database === undefined) return false;
  if (event.kind === 'dropDatabase') return event.namespace.database === scope.database;
  if (scope.collection === undefined) return false;
  return event.kind === 'drop' || event.kind === 'rename';
}

function invalidation(entry: OplogEntry, index: number): ChangeEvent {
  const point: ResumePoint = { position: entry.position, index, kind: 'invalidate' };
  return {
    point,
    document: toDocument({
      _id: formatResumeToken(point),
      operationType: 'invalidate',
      clusterTime: toTimestamp(entry.position),
      wallTime: entry.wall,
    }),
    namespace: { database: '', collection: undefined },
    kind: 'invalidate',
    documentKey: undefined,
    preImage: undefined,
    postImage: undefined,
  };
}
