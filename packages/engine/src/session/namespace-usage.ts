/** How often and how long commands have worked on each namespace since the start (`top`). */

export type UsageKind = 'queries' | 'getmore' | 'insert' | 'update' | 'remove' | 'commands';

export interface Usage {
  count: number;
  timeMs: number;
}

export const USAGE_KINDS: readonly UsageKind[] = [
  'queries',
  'getmore',
  'insert',
  'update',
  'remove',
  'commands',
];

const KIND_OF_COMMAND: ReadonlyMap<string, UsageKind> = new Map([
  ['find', 'queries'],
  ['getMore', 'getmore'],
  ['insert', 'insert'],
  ['update', 'update'],
  ['delete', 'remove'],
]);

/** More namespaces than this are not told apart: names that clients make up must not fill memory. */
const MAX_NAMESPACES = 10_000;

export class NamespaceUsage {
  readonly #namespaces = new Map<string, Map<UsageKind, Usage>>();

  add(namespace: string, command: string, timeMs: number): void {
    let kinds = this.#namespaces.get(namespace);
    if (kinds === undefined) {
      if (this.#namespaces.size >= MAX_NAMESPACES) return;
      kinds = new Map();
      this.#namespaces.set(namespace, kinds);
    }
    const kind = KIND_OF_COMMAND.get(command) ?? 'commands';
    const usage = kinds.get(kind);
    if (usage === undefined) {
      kinds.set(kind, { count: 1, timeMs });
    } else {
      usage.count += 1;
      usage.timeMs += timeMs;
    }
  }

  get(namespace: string, kind: UsageKind): Usage {
    return this.#namespaces.get(namespace)?.get(kind) ?? { count: 0, timeMs: 0 };
  }
}
