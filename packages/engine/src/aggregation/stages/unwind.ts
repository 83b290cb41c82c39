/** `$unwind`. */
import type { Document, Value } from '../../bson/value.ts';
import { PAUSE } from '../../lib/pause.ts';
import { locationError } from '../aggregation-error.ts';
import { isNullish, typeName } from '../expression/value-kind.ts';
import { parseFieldPath, withPath } from '../field-path.ts';
import { keepMetadata } from '../metadata.ts';
import type { Source } from '../pipeline-context.ts';
import type { Stage, StreamStage } from './stage.ts';

export interface Unwind {
  readonly path: readonly string[];
  readonly indexPath: readonly string[] | undefined;
  readonly keepsEmpty: boolean;
}

export interface UnwindStage extends StreamStage {
  readonly name: '$unwind';
  readonly unwind: Unwind;
}

export function isUnwindStage(stage: Stage | undefined): stage is UnwindStage {
  return stage?.name === '$unwind';
}

function parseUnwind(spec: Value): Unwind {
  if (typeof spec === 'string')
    return { path: parsePath(spec), indexPath: undefined, keepsEmpty: false };
  if (!(spec instanceof Map)) {
    throw locationError(
      15981,
      `expected either a string or an object as specification for $unwind stage, got ${typeName(spec)}`,
    );
  }
  let path: readonly string[] | undefined;
  let indexPath: readonly string[] | undefined;
  let keepsEmpty = false;
  for (const [name, value] of spec) {
    if (name === 'path') {
      if (typeof value !== 'string') {
        throw locationError(
          28808,
          `expected a string as the path for $unwind stage, got ${typeName(value)}`,
        );
      }
      path = parsePath(value);
    } else if (name === 'preserveNullAndEmptyArrays') {
      if (typeof value !== 'boolean') {
        throw locationError(
          28809,
          `expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got ${typeName(value)}`,
        );
      }
      keepsEmpty = value;
    } else if (name === 'includeArrayIndex') {
      indexPath = parseIndexPath(value);
    } else {
      throw locationError(28811, `unrecognized option to $unwind stage: ${name}`);
    }
  }
  if (path === undefined) throw locationError(28812, 'no path specified to $unwind stage');
  return { path, indexPath, keepsEmpty };
}

function parsePath(text: string): readonly string[] {
  if (!text.startsWith('$')) {
    throw locationError(
      28818,
      `path option to $unwind stage should be prefixed with a '$': ${text}`,
    );
  }
  return parseFieldPath(text.slice(1));
}

function parseIndexPath(value: Value): readonly string[] {
  if (typeof value !== 'string' || value === '') {
    throw locationError(
      28810,
      `expected a non-empty string for the includeArrayIndex  option to $unwind stage, got ${typeName(value)}`,
    );
  }
  if (value.startsWith('$')) {
    throw locationError(
      28822,
      `includeArrayIndex option to $unwind stage should not be prefixed with a '$': ${value}`,
    );
  }
  return parseFieldPath(value);
}

/** The value at a path of documents only; an array on the way is no place to unwind at. */
function valueAt(document: Document, path: readonly string[]): Value | undefined {
  let value: Value | undefined = document;
  for (const part of path) {
    if (!(value instanceof Map)) return undefined;
    value = value.get(part);
  }
  return value;
}

function withoutPath(document: Document, path: readonly string[], index = 0): Document {
  const name = path[index] as string;
  const value = document.get(name);
  if (value === undefined) return document;
  const copy = new Map(document);
  if (index === path.length - 1) copy.delete(name);
  else if (value instanceof Map) copy.set(name, withoutPath(value, path, index + 1));
  return copy;
}

/** The documents one document unwinds to. */
export function* unwindDocument(document: Document, unwind: Unwind): Generator<Document> {
  const { path, indexPath, keepsEmpty } = unwind;
  const value = valueAt(document, path);
  const withIndex = (result: Document, index: Value): Document =>
    keepMetadata(document, indexPath === undefined ? result : withPath(result, indexPath, index));
  if (!Array.isArray(value)) {
    if (keepsEmpty || !isNullish(value)) yield withIndex(document, null);
    return;
  }
  if (value.length === 0) {
    if (keepsEmpty) yield withIndex(withoutPath(document, path), null);
    return;
  }
  for (let i = 0; i < value.length; i++) {
    const result = withPath(document, path, value[i] as Value);
    yield withIndex(result, indexPath === undefined ? null : BigInt(i));
  }
}

function* unwindAll(source: Source, unwind: Unwind): Source {
  for (const document of source) {
    if (document === PAUSE) yield PAUSE;
    else yield* unwindDocument(document, unwind);
  }
}

export function compileUnwind(spec: Value): UnwindStage {
  const unwind = parseUnwind(spec);
  const fields = new Set([unwind.path[0] as string]);
  if (unwind.indexPath !== undefined) fields.add(unwind.indexPath[0] as string);
  return {
    kind: 'stream',
    name: '$unwind',
    spec,
    unwind,
    use: { fields, whole: false },
    run: (source) => unwindAll(source, unwind),
  };
}
