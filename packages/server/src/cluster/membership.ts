/** This node's entry in the registry, and what it learns of the others (cluster.md E10). */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { NodeRecord, NodeState, NodeStore } from '../model/node-record.ts';
import type { Log } from '../observe/log.ts';
import { type ClusterView, judgeNodes } from './judge-nodes.ts';

export interface MembershipOptions {
  readonly name: string;
  readonly version: string;
  readonly configurationHash: string;
  readonly heartbeatMs: number;
  /** Connections of all nodes together; 0: no budget. */
  readonly totalPoolBudget: number;
  /** Told how much the node's clock is ahead of the database's, at each heartbeat. */
  readonly noteSkew?: (skewMs: number) => void;
  readonly keyId: () => string;
  readonly state: () => Promise<NodeState>;
  readonly poolUse: () => { readonly inUse: number; readonly size: number };
  readonly requestsInFlight: () => number;
}

/** Two heartbeats may be lost before a node counts as dead. */
export const DEAD_AFTER_HEARTBEATS = 3;
/** A node reads the list at each heartbeat only in a small cluster: what all nodes read would grow with their square. */
const NODES_PER_READING = 20;

/** Beats until it is closed; a database that is away only makes it silent. */
export class Membership {
  readonly id = randomUUID();
  private readonly store: NodeStore;
  private readonly options: MembershipOptions;
  private readonly log: Log;
  private readonly delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 20 });
  private readonly startedAtMs = Date.now();
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> | undefined;
  private isClosed = false;
  private last: NodeRecord | undefined;
  private seen: ClusterView | undefined;
  private warned = '';
  private beatsToReading = 0;

  constructor(store: NodeStore, options: MembershipOptions, log: Log) {
    this.store = store;
    this.options = options;
    this.log = log;
  }

  start(): void {
    this.delay.enable();
    void this.beat();
  }

  /** What was known at the last reading: the last heartbeat, or in a large cluster one of the last. */
  get view(): ClusterView | undefined {
    return this.seen;
  }

  /** This node's own last entry. */
  get own(): NodeRecord | undefined {
    return this.last;
  }

  /** Asks the registry now. */
  async look(): Promise<ClusterView> {
    const { heartbeatMs, totalPoolBudget: totalBudget } = this.options;
    const [clock, nodes] = await Promise.all([this.store.readClock(), this.store.list()]);
    const deadAfterMs = DEAD_AFTER_HEARTBEATS * heartbeatMs;
    this.seen = judgeNodes(nodes, clock.databaseMs, { deadAfterMs, totalBudget });
    return this.seen;
  }

  /** Writes the entry now, and regularly from then on; one at a time. */
  beat(): Promise<void> {
    clearTimeout(this.timer);
    this.beating = (this.beating ?? Promise.resolve()).then(() => this.write());
    return this.beating;
  }

  /** Takes the entry out: the others need not wait until it is old. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.delay.disable();
    await this.beating;
    await withinMs(
      this.store.remove(this.id).catch(() => undefined),
      1000,
    );
  }

  private async write(): Promise<void> {
    if (this.isClosed) return;
    try {
      const { databaseMs, ownMs } = await this.store.readClock();
      this.options.noteSkew?.(ownMs - databaseMs);
      this.last = await this.record(ownMs - databaseMs);
      if (this.isClosed) return;
      await this.store.save(this.last);
      if (this.beatsToReading > 0) {
        this.beatsToReading -= 1;
        return;
      }
      const view = await this.look();
      this.beatsToReading = Math.floor(view.nodes.length / NODES_PER_READING);
      this.warn(view);
    } catch (error) {
      this.log.debug('The heartbeat could not be written', { err: error });
    } finally {
      clearTimeout(this.timer);
      if (!this.isClosed) {
        this.timer = setTimeout(() => void this.beat(), this.options.heartbeatMs).unref();
      }
    }
  }

  private async record(clockSkewMs: number): Promise<NodeRecord> {
    const { options } = this;
    const { inUse, size } = options.poolUse();
    const eventLoopDelayMs = Math.max(0, this.delay.percentile(99) / 1e6 - 20);
    this.delay.reset();
    return {
      id: this.id,
      name: options.name,
      host: hostname(),
      pid: process.pid,
      version: options.version,
      configurationHash: options.configurationHash,
      keyId: options.keyId(),
      state: await options.state(),
      startedAtMs: this.startedAtMs,
      poolInUse: inUse,
      poolSize: size,
      eventLoopDelayMs: Math.round(eventLoopDelayMs * 10) / 10,
      clockSkewMs: Math.round(clockSkewMs),
      requestsInFlight: options.requestsInFlight(),
    };
  }

  /** Once for each new finding, not with each heartbeat. */
  private warn({ drift, skewed, nodes, poolBudget }: ClusterView): void {
    const ownSkew = skewed.includes(this.id);
    const isOver = poolBudget !== undefined && this.options.poolUse().size > poolBudget;
    const finding = JSON.stringify([drift, ownSkew, isOver && poolBudget]);
    if (finding === this.warned) return;
    this.warned = finding;
    if (drift.length > 0) {
      this.log.warn(`The nodes of this cluster differ: ${drift.join(', ')}`, {
        nodes: nodes.map(({ id, host, version, configurationHash, keyId }) => ({
          id,
          host,
          version,
          configurationHash,
          keyId,
        })),
      });
    }
    if (ownSkew) {
      this.log.warn(
        "This node's clock differs from the database's: times in its log and in documents are wrong",
        {
          clockSkewMs: this.last?.clockSkewMs,
        },
      );
    }
    if (isOver) {
      this.log.warn(
        'This node may open more connections than its share: it takes the new share when it starts again',
        { share: poolBudget, maxPoolSize: this.options.poolUse().size, nodes: nodes.length },
      );
    }
  }
}

function withinMs(work: Promise<unknown>, limitMs: number): Promise<unknown> {
  const limit = new Promise((resolve) => setTimeout(resolve, limitMs).unref());
  return Promise.race([work, limit]);
}
