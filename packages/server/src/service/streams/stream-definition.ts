/** Declared change streams: the `streams` property of a collection (streams.md §1, §6). */
import { QuorateError } from '../../errors/quorate-error.ts';
import type { BsonDocument, BsonValue } from '../../model/bson.ts';
import { writeJson } from '../../representation/json-writer.ts';

/** One declared stream. */
export interface StreamDefinition {
  readonly uri: string;
  /** As stored: variables unbound, names perhaps escaped. */
  readonly stages: readonly BsonDocument[];
  readonly notifyWhen: NotifyWhen | undefined;
}

/** Delivers an event to a client only when a value of it fits the client's query parameter. */
export interface NotifyWhen {
  /** Member of the event document. */
  readonly member: string;
  /** Dotted path in that member. */
  readonly path: string;
  readonly parameter: string;
}

/**
 * The stream `uri` of a collection.
 *
 * @throws ERR_STREAM_DEFINITION (500) when any declaration of the collection is malformed,
 *   ERR_NOT_FOUND_STREAM (404) when this one is not declared
 */
export function findStream(properties: BsonDocument | undefined, uri: string): StreamDefinition {
  const streams = properties?.get('streams');
  if (streams !== undefined && !Array.isArray(streams)) {
    throw malformed("the property 'streams' must be an array");
  }
  const declared = (streams ?? []).map(checkDeclaration);
  const found = declared.find((declaration) => declaration.uri === uri);
  if (found === undefined) {
    throw new QuorateError('ERR_NOT_FOUND_STREAM', { message: 'Change Stream does not exist' });
  }
  return { ...found, notifyWhen: parseNotifyWhen(found.notifyWhen) };
}

function checkDeclaration(declaration: BsonValue) {
  if (!(declaration instanceof Map)) throw malformed('a stream must be an object');
  const uri = declaration.get('uri');
  const stages = declaration.get('stages');
  if (typeof uri !== 'string') throw malformed("query does not have 'uri' property");
  if (!Array.isArray(stages)) throw malformed("query does not have 'stages' property");
  return {
    uri,
    stages: stages.map((stage) => {
      if (!(stage instanceof Map)) throw malformed("'stages' must be an array of objects");
      return stage;
    }),
    notifyWhen: declaration.get('notify_when'),
  };
}

function parseNotifyWhen(value: BsonValue | undefined): NotifyWhen | undefined {
  if (value === undefined || value === null) return undefined;
  const [entry, ...others] = value instanceof Map ? [...value] : [];
  if (entry === undefined || others.length > 0) {
    throw malformed("'notify_when' must be an object with exactly one entry");
  }
  const [name, operand] = entry;
  const separator = name.indexOf('::');
  const member = name.slice(0, Math.max(separator, 0));
  const path = name.slice(separator + 2);
  if (member === '' || path === '') {
    throw malformed("the entry of 'notify_when' must be named '<member>::<path>'");
  }
  const variable = operand instanceof Map ? (operand.get('$var') ?? operand.get('_$var')) : null;
  if (typeof variable !== 'string') {
    throw malformed("the value of 'notify_when' must be {'$var': '<query parameter>'}");
  }
  return { member, path: path.replaceAll('::', '.'), parameter: variable };
}

/** True when an event concerns a client that sent `wanted`; undefined: it sent nothing, and gets all. */
export function concerns(
  event: BsonDocument,
  rule: NotifyWhen,
  wanted: string | undefined,
): boolean {
  if (wanted === undefined) return true;
  let value: BsonValue | undefined = event.get(rule.member);
  for (const name of rule.path.split('.')) {
    value = value instanceof Map ? value.get(name) : undefined;
  }
  return Array.isArray(value) ? value.includes(wanted) : value === wanted;
}

/** All declarations of a collection as text; equal texts declare the same. */
export function declarationsOf(properties: BsonDocument | undefined): string {
  return writeJson(properties?.get('streams') ?? null, 'extended');
}

/** The refusal of a declaration that cannot be opened; it was stored unseen. */
export function malformed(reason: string, cause?: unknown): QuorateError {
  return new QuorateError('ERR_STREAM_DEFINITION', { message: reason, cause });
}
