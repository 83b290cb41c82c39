/** Whether this node should get requests, and why not (cluster.md E4, E5). */
import type { NodeState } from '../model/node-record.ts';
import type { DatabaseProbe } from '../model/ports.ts';

export interface ReadinessParts {
  /** Undefined in standalone mode: nothing to wait for. */
  readonly pingDatabase: (() => Promise<DatabaseProbe>) | undefined;
  /** True when keys and the first account are there. */
  readonly isSecurityLoaded: () => boolean;
  readonly now?: () => number;
}

/** What a probe is told. */
export interface Readiness {
  readonly state: NodeState;
  readonly isReady: boolean;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail?: unknown }>>;
}

// many probes, and a crowd of balancers, cost the database one ping
const PING_KEPT_MS = 200;

/** Knows the node's state; `startDraining` is the only way back from ready for good. */
export class NodeReadiness {
  private readonly parts: ReadinessParts;
  private isDraining = false;
  private wasReady = false;
  private pinged: { readonly atMs: number; readonly result: Promise<DatabaseProbe> } | undefined;

  constructor(parts: ReadinessParts) {
    this.parts = parts;
  }

  startDraining(): void {
    this.isDraining = true;
  }

  /** True once the node has been ready; a database that goes away later does not undo it. */
  get hasStarted(): boolean {
    return this.wasReady;
  }

  async check(): Promise<Readiness> {
    // a balancer has to hear this at once, however slow the database is
    const database = this.isDraining ? undefined : await this.ping();
    const isLoaded = this.parts.isSecurityLoaded();
    const isAble = (database === undefined || database.status === 'ok') && isLoaded;
    this.wasReady ||= isAble && !this.isDraining;
    const isReady = isAble && !this.isDraining;
    const state = this.isDraining
      ? 'draining'
      : isAble
        ? 'ready'
        : this.wasReady
          ? 'unready'
          : 'starting';
    return {
      state,
      isReady,
      checks: {
        ...(database && { database: describe(database) }),
        security: { ok: isLoaded, ...(!isLoaded && { detail: 'keys or first account missing' }) },
        draining: { ok: !this.isDraining },
      },
    };
  }

  private ping(): Promise<DatabaseProbe> | undefined {
    const { pingDatabase } = this.parts;
    if (pingDatabase === undefined) return undefined;
    const now = (this.parts.now ?? Date.now)();
    if (this.pinged === undefined || now - this.pinged.atMs > PING_KEPT_MS)
      this.pinged = { atMs: now, result: pingDatabase() };
    return this.pinged.result;
  }
}

function describe(probe: DatabaseProbe): { readonly ok: boolean; readonly detail: unknown } {
  if (probe.status === 'ok') return { ok: true, detail: { latencyMs: probe.latencyMs } };
  return { ok: false, detail: probe.status === 'timeout' ? 'ping timeout' : 'not reachable' };
}
