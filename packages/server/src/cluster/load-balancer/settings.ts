/** What a balancer has to know; every recipe is made of the same settings. */

export interface BalancerSettings {
  /** `host:port` of each node. */
  readonly nodes: readonly string[];
  readonly listenPort: number;
  /** Random tokens and Digest: a client has to stay with its node (cluster.md A5). */
  readonly isSticky: boolean;
  /** The sticky cookie outlives the token by a third, or a client would lose its node before its token. */
  readonly tokenTtlMinutes: number;
  readonly probeIntervalMs: number;
  readonly healthPath: string;
  /** Longer than the node needs to drain, seconds. */
  readonly drainSeconds: number;
}

export const DEFAULT_BALANCER_SETTINGS: BalancerSettings = {
  nodes: ['node1:8080', 'node2:8080', 'node3:8080'],
  listenPort: 8080,
  isSticky: false,
  tokenTtlMinutes: 15,
  probeIntervalMs: 1000,
  healthPath: '/health/ready',
  drainSeconds: 70,
};

/** Minutes that the sticky cookie may be idle: 20 for tokens of 15. */
export function stickyMinutes({ tokenTtlMinutes }: BalancerSettings): number {
  return Math.ceil((tokenTtlMinutes * 4) / 3);
}

/** `node1`, `node2` … */
export function nameOf(index: number): string {
  return `node${index + 1}`;
}

/** `1s`, `500ms`. */
export function duration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** `three nodes`, `one node`, `7 nodes`. */
export function countOf({ nodes }: BalancerSettings): string {
  const words = ['no', 'one', 'two', 'three', 'four', 'five', 'six'];
  return `${words[nodes.length] ?? nodes.length} node${nodes.length === 1 ? '' : 's'}`;
}
