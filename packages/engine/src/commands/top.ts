import { type Document, toDocument } from '../bson/value.ts';
import { USAGE_KINDS, type Usage } from '../session/namespace-usage.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `top` (manual): how much each collection has been used since the start. */
export const top: CommandDefinition = {
  name: 'top',
  help: 'Use of each collection',
  adminOnly: true,
  privilege: 'clusterMonitor',
  fields: {},
  run({ services, view }) {
    const { catalog, operations } = services;
    const totals: Document = new Map([['note', 'all times in microseconds']]);
    for (const database of catalog.databases(view)) {
      for (const { namespace } of catalog.collections(view, database)) {
        const usages = USAGE_KINDS.map((kind) => operations.usage.get(namespace, kind));
        const [queries, getmore, insert, update, remove, commands] = usages.map(toFigures);
        totals.set(
          namespace,
          toDocument({
            total: toFigures(sum(usages)),
            readLock: toFigures(sum(usages.slice(0, 2))),
            writeLock: toFigures(sum(usages.slice(2, 5))),
            queries,
            getmore,
            insert,
            update,
            remove,
            commands,
          }),
        );
      }
    }
    return reply({ totals });
  },
};

function sum(usages: readonly Usage[]): Usage {
  const total = { count: 0, timeMs: 0 };
  for (const { count, timeMs } of usages) {
    total.count += count;
    total.timeMs += timeMs;
  }
  return total;
}

function toFigures({ count, timeMs }: Usage): Document {
  return toDocument({ time: BigInt(timeMs) * 1000n, count: BigInt(count) });
}
