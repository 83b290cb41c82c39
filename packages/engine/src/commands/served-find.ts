import { type Document, toDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { Pause } from '../lib/pause.ts';
import { compileFilter, type Filter } from '../query/filter.ts';
import { type CursorSource, sourceOf } from '../session/cursor.ts';
import { bindPipeline } from './collection-reader.ts';
import type { CommandContext } from './context.ts';
import { isTrue, toNumber } from './field-types.ts';
import type { FindRequest } from './find-request.ts';
import type { QueryEnvironment } from './query-environment.ts';
import type { ServedCollection } from './served-collection.ts';

/** A find over a served collection: a pipeline, or a tail where it may be followed. */
export function findServedDocuments(
  context: CommandContext,
  served: ServedCollection,
  request: FindRequest,
  environment: QueryEnvironment,
): CursorSource {
  if (isTrue(context.args.get('tailable'))) {
    return openTail(context, served, compileFilter(request.filter, environment.filterOptions));
  }
  const natural = toNumber(request.sort?.get('$natural'));
  const stages: Value[] = [toDocument({ $match: request.filter })];
  if (request.sort !== undefined && natural === undefined) {
    stages.push(toDocument({ $sort: request.sort }));
  }
  if (request.skip !== undefined) stages.push(toDocument({ $skip: request.skip }));
  if (request.limit !== undefined) stages.push(toDocument({ $limit: request.limit }));
  if (request.projection !== undefined) stages.push(toDocument({ $project: request.projection }));
  const bound = bindPipeline(context, served.name, stages, {
    environment,
    served: { backwards: natural !== undefined && natural < 0, filter: request.filter },
  });
  return sourceOf(bound.run());
}

/** Stays at the end of what is appended to, as tools do that follow the log. */
function openTail(context: CommandContext, served: ServedCollection, filter: Filter): CursorSource {
  const { services } = context;
  const follow = served.follow?.(services);
  if (follow === undefined) {
    throw new MongoCommandError(
      'BadValue',
      `error processing query: ns=${context.namespace(served.name)} tailable cursor requested on non capped collection`,
    );
  }
  let ended = false;
  let last: Document | undefined;
  let resumedAt: Document | undefined;
  let rest: Iterator<Document | Pause> | undefined;
  const start = context.args.get('filter');
  return {
    next() {
      while (!ended) {
        rest ??= served
          .read(services, { filter: last === undefined ? toFilter(start) : behind(last) })
          [Symbol.iterator]();
        const { done, value } = rest.next();
        if (done) {
          rest = undefined;
          resumedAt = last;
          return undefined;
        }
        if (!(value instanceof Map)) return value;
        // what shares the time of the document read last has been read with it
        if (resumedAt !== undefined && isSame(resumedAt, value)) continue;
        last = value;
        if (filter.matches(value)) return value;
      }
      return undefined;
    },
    close() {
      ended = true;
    },
    tail: {
      awaitData: isTrue(context.args.get('awaitData')),
      onMore: follow,
      isEnded: () => ended,
    },
  };
}

function toFilter(value: Value | undefined): Document | undefined {
  return value instanceof Map ? value : undefined;
}

function behind(last: Document): Document {
  return toDocument({ ts: toDocument({ $gte: last.get('ts') }) });
}

function isSame(a: Document, b: Document): boolean {
  return String(a.get('ts')) === String(b.get('ts'));
}
