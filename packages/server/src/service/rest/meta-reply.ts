/** GET …/_meta (rest-documents.md §4.4). */

import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, toNumber } from '../../model/bson.ts';
import type { Reply } from '../../model/reply.ts';
import { writeJson } from '../../representation/json-writer.ts';
import { etagHeader, etagOfProperties, isNotModified, jsonReply, notModified } from './replies.ts';
import type { MongoRequest } from './rest-request.ts';

/** Kinds of resources in the text of the 404. */
export type MetaSubject = 'db' | 'collection' | 'file bucket' | 'schema store';

/** The properties with `_id` replaced by `_meta`. */
export function metaReply(
  request: MongoRequest,
  subject: MetaSubject,
  properties: BsonDocument | undefined,
): Reply {
  if (properties === undefined) {
    throw new QuorateError('ERR_NOT_FOUND', {
      message: `resource _meta is not defined for this ${subject}.`,
    });
  }
  const etag = etagOfProperties(properties);
  if (isNotModified(request, etag)) return notModified();
  const meta: BsonDocument = new Map<string, BsonValue>([['_id', '_meta']]);
  for (const [name, value] of properties) if (name !== '_id') meta.set(name, value);
  const shown = project(meta, request.parameters.projection);
  return jsonReply(
    writeJson(shown, request.parameters.jsonMode),
    etag === undefined || !shown.has('_etag') ? [] : [etagHeader(etag)],
  );
}

/** A projection of top-level and dotted names; properties are cached, so the database is not asked again. */
export function project(
  document: BsonDocument,
  projection: BsonDocument | undefined,
): BsonDocument {
  if (projection === undefined || projection.size === 0) return document;
  const rules = [...projection].map(([name, rule]) => ({
    path: name.split('.'),
    keep: isKept(rule),
  }));
  const including = rules.some(({ path, keep }) => keep && path[0] !== '_id');
  const result: BsonDocument = new Map();
  for (const [name, value] of document) {
    const own = rules.filter(({ path }) => path[0] === name);
    const shown = projectValue(
      value,
      own.map((rule) => ({ ...rule, path: rule.path.slice(1) })),
      {
        including,
        isId: name === '_id',
      },
    );
    if (shown !== undefined) result.set(name, shown);
  }
  return result;
}

interface Rule {
  readonly path: readonly string[];
  readonly keep: boolean;
}

function isKept(rule: BsonValue): boolean {
  const number = toNumber(rule);
  return number === undefined ? rule !== false : number !== 0;
}

function projectValue(
  value: BsonValue,
  rules: readonly Rule[],
  { including, isId }: { including: boolean; isId: boolean },
): BsonValue | undefined {
  if (rules.length === 0) return including && !isId ? undefined : value;
  const whole = rules.find(({ path }) => path.length === 0);
  if (whole !== undefined) return whole.keep ? value : undefined;
  if (Array.isArray(value)) {
    const items: BsonValue[] = [];
    for (const item of value) {
      const shown = projectValue(item, rules, { including, isId: false });
      if (shown !== undefined) items.push(shown);
    }
    return items;
  }
  if (!(value instanceof Map)) return including ? undefined : value;
  const result: BsonDocument = new Map();
  for (const [name, member] of value) {
    const own = rules
      .filter(({ path }) => path[0] === name)
      .map((rule) => ({ ...rule, path: rule.path.slice(1) }));
    const shown = projectValue(member, own, { including, isId: false });
    if (shown !== undefined) result.set(name, shown);
  }
  return result;
}
