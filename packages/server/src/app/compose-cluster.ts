/** What makes this process a node among others: readiness, registry, view. */
import { createClusterRegistry } from '../cluster/cluster-metrics.ts';
import { hashConfiguration } from '../cluster/configuration-hash.ts';
import type { DatabaseClock } from '../cluster/database-clock.ts';
import { Membership } from '../cluster/membership.ts';
import { NodeReadiness } from '../cluster/node-readiness.ts';
import type { Settings } from '../config/schema.ts';
import { readBuildInfo } from '../config/version.ts';
import type { NodeStore } from '../model/node-record.ts';
import type { DatabaseProbePort } from '../model/ports.ts';
import type { AnyService } from '../model/service.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { createClusterService } from '../service/cluster/cluster-service.ts';
import { createHealthServices } from '../service/health/health-service.ts';

/** The database side of it. */
export interface ClusterDatabase {
  readonly probe: DatabaseProbePort;
  readonly nodes: NodeStore;
  readonly poolUse: () => { readonly inUse: number; readonly size: number };
}

export interface ClusterInputs {
  readonly database: ClusterDatabase | undefined;
  /** Resolves when keys and first account are there. */
  readonly securityLoaded: Promise<void>;
  readonly clock: DatabaseClock;
  readonly keyId: () => string;
  readonly requestsInFlight: () => number;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface ClusterParts {
  readonly services: readonly AnyService[];
  /** Begins the heartbeats. */
  start(): void;
  /** From now on `/health/ready` says 503, and the others are told. */
  startDraining(): void;
  close(): Promise<void>;
}

export function composeCluster(settings: Settings, inputs: ClusterInputs): ClusterParts {
  const { database } = inputs;
  const timeoutMs = settings.health['timeout-ms'];
  let isSecurityLoaded = false;
  void inputs.securityLoaded.then(() => {
    isSecurityLoaded = true;
  });
  const readiness = new NodeReadiness({
    pingDatabase:
      database && (() => database.probe.ping(settings['database-probe'].dbname, timeoutMs)),
    isSecurityLoaded: () => isSecurityLoaded,
  });
  const membership =
    database && settings.cluster.enabled
      ? new Membership(
          database.nodes,
          membershipOptions(settings, inputs, database, readiness),
          inputs.log,
        )
      : undefined;
  const services: AnyService[] = [];
  if (settings.health.enabled)
    services.push(...createHealthServices(settings.health.uri, readiness));
  if (membership !== undefined) {
    services.push(createClusterService(settings.cluster.uri, membership));
    inputs.metrics.add(createClusterRegistry(membership), { isListed: false });
  }
  return {
    services,
    start: () => membership?.start(),
    startDraining() {
      readiness.startDraining();
      void membership?.beat();
    },
    async close() {
      await membership?.close();
    },
  };
}

function membershipOptions(
  settings: Settings,
  inputs: ClusterInputs,
  database: ClusterDatabase,
  readiness: NodeReadiness,
) {
  return {
    name: settings.core.name,
    version: readBuildInfo().version,
    configurationHash: hashConfiguration(settings),
    heartbeatMs: settings.cluster['heartbeat-interval'],
    totalPoolBudget: settings.cluster['pool-budget'],
    noteSkew: (skewMs: number) => inputs.clock.note(skewMs),
    keyId: inputs.keyId,
    state: async () => (await readiness.check()).state,
    poolUse: database.poolUse,
    requestsInFlight: inputs.requestsInFlight,
  };
}
