import { valueAt } from '../bson/path.ts';
import type { Document } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import type { Index } from '../catalog/index.ts';
import type { Access } from '../catalog/plan.ts';
import { executePlan } from '../catalog/plan-execute.ts';
import { planFind } from '../catalog/planner.ts';
import { PAUSE, type Pause } from '../lib/pause.ts';
import type { ReadRequest } from './collection-reader.ts';
import type { CommandContext } from './context.ts';
import type { QueryEnvironment } from './query-environment.ts';

/** What find answers in the place of the documents themselves. */
export interface RecordShape {
  /** Only the index keys that led to the document, as far as an index did. */
  readonly returnKey: boolean;
  readonly showRecordId: boolean;
}

/** Documents with their record id, or just their index keys (manual, `find`). */
export function* readShaped(
  context: CommandContext,
  collection: Collection | undefined,
  environment: QueryEnvironment,
  options: {
    readonly request: ReadRequest;
    readonly shape: RecordShape;
    readonly project: (document: Document) => Document;
  },
): Generator<Document | Pause> {
  if (collection === undefined) return;
  const { request, shape } = options;
  const plan = planFind(collection, { ...request, collation: environment.collation });
  const index = indexOf(plan.access);
  for (const record of executePlan(context.view, plan)) {
    if (record === PAUSE) {
      yield PAUSE;
      continue;
    }
    const document = record.document();
    const shaped = shape.returnKey ? keysOf(document, index) : options.project(document);
    yield shape.showRecordId && !shape.returnKey
      ? new Map(shaped).set('$recordId', BigInt(record.recordId))
      : shaped;
  }
}

function indexOf(access: Access): Index | undefined {
  if (access.kind === 'index') return access.scan.index;
  return access.kind === 'id' ? access.index : undefined;
}

function keysOf(document: Document, index: Index | undefined): Document {
  const keys: Document = new Map();
  for (const { path, parts } of index?.fields ?? []) {
    keys.set(path, valueAt(document, parts) ?? null);
  }
  return keys;
}
