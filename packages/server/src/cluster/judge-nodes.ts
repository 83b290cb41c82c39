/** What the registry says about the cluster as a whole: who lives, who differs, whose clock is wrong. */
import type { SeenNode } from '../model/node-record.ts';

/** From here on a clock is wrong, and not merely hard to measure (cluster.md D7); tokens live by the database's clock in any case. */
export const MAX_SKEW_MS = 1000;

export interface ClusterView {
  /** Alive, the oldest first. */
  readonly nodes: readonly SeenNode[];
  /** More than one version, configuration or signing key among them; names what. */
  readonly drift: readonly ('version' | 'configuration' | 'key')[];
  /** Ids of nodes whose clock is off by more than a second. */
  readonly skewed: readonly string[];
  /** This node's share of the connections that the database may be asked for; undefined without a budget. */
  readonly poolBudget: number | undefined;
}

/**
 * @param nowMs - the database's clock
 * @param deadAfterMs - a node that was not heard of for longer does not count
 * @param totalBudget - connections of all nodes together; 0: no budget
 */
export function judgeNodes(
  nodes: readonly SeenNode[],
  nowMs: number,
  options: { readonly deadAfterMs: number; readonly totalBudget: number },
): ClusterView {
  const alive = nodes
    .filter(({ seenAtMs }) => nowMs - seenAtMs <= options.deadAfterMs)
    .sort((a, b) => a.startedAtMs - b.startedAtMs || (a.id < b.id ? -1 : 1));
  const drift: ClusterView['drift'][number][] = [];
  if (differ(alive.map(({ version }) => version))) drift.push('version');
  if (differ(alive.map(({ configurationHash }) => configurationHash))) drift.push('configuration');
  if (differ(alive.flatMap(({ keyId }) => (keyId === '' ? [] : [keyId])))) drift.push('key');
  return {
    nodes: alive,
    drift,
    skewed: alive.filter((node) => Math.abs(node.clockSkewMs) > MAX_SKEW_MS).map(({ id }) => id),
    poolBudget:
      options.totalBudget > 0
        ? Math.max(1, Math.floor(options.totalBudget / Math.max(1, alive.length)))
        : undefined,
  };
}

function differ(values: readonly string[]): boolean {
  return new Set(values).size > 1;
}
