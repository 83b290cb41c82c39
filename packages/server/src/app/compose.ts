/** Builds each part and hands it what it needs: the only place that knows them all. */

import { DatabaseClock } from '../cluster/database-clock.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Settings } from '../config/schema.ts';
import { formatBuildTime, readBuildInfo } from '../config/version.ts';
import type { QuorateError } from '../errors/quorate-error.ts';
import { Router } from '../http/router.ts';
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import type { Guard } from '../model/ports.ts';
import type { AnyService, ErrorContext } from '../model/service.ts';
import type { Log } from '../observe/log.ts';
import {
  createProcessRegistry,
  createRequestMetrics,
  type MetricLabel,
  Metrics,
} from '../observe/metrics.ts';
import { createRequestLog } from '../observe/request-log.ts';
import type { RequestObserver } from '../observe/request-observer.ts';
import { InterceptorTable } from '../plugin-host/interceptors.ts';
import { errorBody } from '../representation/error-body.ts';
import type { JsonMode } from '../representation/json-mode.ts';
import { createMetricsService } from '../service/metrics/metrics-service.ts';
import { createPingService } from '../service/ping/ping-service.ts';
import { composeCluster } from './compose-cluster.ts';
import { composeAudit, composeLimiter, composeSecurityHeaders } from './compose-limits.ts';
import type { MongoParts } from './compose-mongo.ts';
import { createProxyServices } from './compose-proxies.ts';
import { composeSecurity } from './compose-security.ts';
import { type EmbeddedEngine, openEmbeddedEngine } from './embedded-engine.ts';
import { createRequestPipeline, type RequestPipeline } from './request-pipeline.ts';
import type { SecurityDatabase } from './security-database.ts';
import { createStaticServices } from './static-resources.ts';
import { workerNumber } from './worker-processes.ts';

/** Everything that runs behind the listeners. */
export interface Composition {
  readonly pipeline: RequestPipeline;
  readonly guard: Guard;
  /** Names of the bound services and their URIs, for the log. */
  readonly services: readonly AnyService[];
  /** The database in use; undefined in standalone mode. */
  readonly databaseUri: string | undefined;
  /** Health, cluster and metrics alone, for a port of their own. */
  readonly adminPipeline: RequestPipeline;
  /** Begins what the node does by itself, once it listens. */
  start(): void;
  /** Still serves, but says that it will not for long. */
  announceStop(): void;
  /** Ends what would never end by itself: streams of events. */
  endStreams(): void;
  close(): Promise<void>;
}

/** Starts the engine when no other database is named, connects, and joins the services. */
export async function compose(
  config: LoadedConfig,
  log: Log,
  ownServices: readonly AnyService[] = [],
): Promise<Composition> {
  const { settings } = config;
  // the engine's thread and the driver's modules load side by side
  const mongoModule = needsDatabase(settings) ? import('./compose-mongo.ts') : undefined;
  const engine = await openEngineIfNeeded(settings, log);
  const databaseUri = settings.mclient['connection-string'] ?? engine?.uri;
  const services: AnyService[] = [...ownServices];
  let closeMongo = async (): Promise<void> => {};
  let endStreams = (): void => {};
  let clusterDatabase: MongoParts['cluster'] | undefined;
  let database: SecurityDatabase | undefined;
  if (mongoModule !== undefined && databaseUri !== undefined) {
    const parts = await (await mongoModule).composeMongo(settings, databaseUri, log);
    services.push(...parts.services);
    closeMongo = parts.close;
    endStreams = () => parts.streams.close(GOING_AWAY);
    clusterDatabase = parts.cluster;
    database = parts;
  }
  const clock = new DatabaseClock();
  const security = composeSecurity(settings, database, { log, nowMs: clock.nowMs });
  services.push(...security.services);
  if (database !== undefined) {
    const { composeExtras } = await import('./compose-extras.ts');
    const { guard } = security;
    services.push(...composeExtras(settings, { mongo: database.mongo, guard, services }));
  }
  if (settings.ping.enabled) services.push(pingService(settings));
  services.push(...createStaticServices(config.root['static-resources'], log));
  services.push(...createProxyServices(config.root['proxies'], log));
  const explain = security.explainService((path) => explained.find(path));
  if (explain) services.push(explain);
  const metrics = new Metrics(metricLabels(settings));
  const audit = composeAudit(settings, database?.mongo, log);
  const observers = [
    requestLog(settings, log),
    ...metricsParts(settings, metrics, services),
    ...audit.observers,
  ];
  const limiter = composeLimiter(settings, database?.mongo, log);
  const cluster = composeCluster(settings, {
    database: clusterDatabase,
    securityLoaded: security.loaded,
    clock,
    keyId: security.keyId,
    requestsInFlight: () => pipeline.inFlight(),
    metrics,
    log,
  });
  services.push(...cluster.services);

  const bound = services.filter((service) => isBindable(service, log));
  const explained = new Router(bound);
  const pipelineOf = (bound: readonly AnyService[]): RequestPipeline =>
    createRequestPipeline({
      router: new Router(bound.map((service) => withSecurity(service, settings))),
      guard: security.guard,
      interceptors: new InterceptorTable(),
      limits: {
        maxHeaders: settings['connection-options'].MAX_HEADERS,
        maxParameters: settings['connection-options'].MAX_PARAMETERS,
        maxCookies: settings['connection-options'].MAX_COOKIES,
        forceCompression: settings.core['force-gzip-encoding'],
      },
      writeErrorBody,
      observer: composeObservers(observers),
      log,
      poweredBy: settings.xPoweredBy.enabled ? 'Quorate' : undefined,
      dateHeader: settings.dateHeader.enabled,
      limiter,
      isLimited: ({ name }) => !ADMIN_SERVICE.test(name),
      securityHeaders: composeSecurityHeaders(settings),
      tracingHeaders: tracingHeaders(settings),
      generatedHeader: settings.quorate['request-id-header'] || undefined,
    });
  const pipeline = pipelineOf(bound);
  const adminPipeline = pipelineOf(bound.filter(({ name }) => ADMIN_SERVICE.test(name)));
  // the first requests must find the collections of accounts and rules
  await security.collections;
  return {
    pipeline,
    guard: security.guard,
    services: bound,
    databaseUri,
    adminPipeline,
    start: cluster.start,
    announceStop() {
      cluster.startDraining();
      pipeline.announce(UNAVAILABLE_WHILE_DRAINING);
      adminPipeline.announce(UNAVAILABLE_WHILE_DRAINING);
    },
    endStreams,
    async close() {
      await cluster.close();
      for (const service of services) await service.close?.();
      await audit.flush();
      await closeMongo();
      await engine?.close();
    },
  };
}

/** Close code of WebSockets whose server stops (RFC 6455 §7.4.1). */
const GOING_AWAY = 1001;

/** Both say 503 from the signal on, as in RESTHeart (cluster.md D2): balancers may probe them. */
const UNAVAILABLE_WHILE_DRAINING: ReadonlySet<string> = new Set(['ping', 'database-probe']);

const ADMIN_SERVICE = /^(health-.*|ping|database-probe|cluster|metrics)$/;

function needsDatabase(settings: Settings): boolean {
  return settings.mongo.enabled || settings['database-probe'].enabled;
}

async function openEngineIfNeeded(
  settings: Settings,
  log: Log,
): Promise<EmbeddedEngine | undefined> {
  if (settings.mclient['connection-string'] !== null || !needsDatabase(settings)) return undefined;
  return openEmbeddedEngine(settings.quorate.data, settings.quorate['engine-port'], log);
}

function pingService(settings: Settings): AnyService {
  const build = readBuildInfo();
  return createPingService({
    uri: settings.ping.uri,
    message: settings.ping.msg,
    extendedResponse: settings.ping['enable-extended-response'],
    version: build.version,
    buildTime: formatBuildTime(build.builtAt),
  });
}

function requestLog(settings: Settings, log: Log): RequestObserver {
  const { logging } = settings;
  return createRequestLog(
    {
      mode: logging['requests-log-mode'],
      tracingHeaders: tracingHeaders(settings),
      excludePatterns: logging['requests-log-exclude-patterns'],
      excludeIntervalMinutes: logging['requests-log-exclude-interval'],
    },
    log,
  );
}

function tracingHeaders({ logging, quorate }: Settings): readonly string[] {
  const generated = quorate['request-id-header'];
  return generated === '' ? logging['tracing-headers'] : [...logging['tracing-headers'], generated];
}

function metricLabels(settings: Settings): MetricLabel[] {
  const labels: MetricLabel[] = [];
  if (settings.metrics['instance-label']) labels.push(['instance_name', settings.core.name]);
  const worker = workerNumber();
  if (worker !== undefined) labels.push(['worker', worker]);
  return labels;
}

/** Adds the metrics service; gives the observer that feeds it. */
function metricsParts(
  settings: Settings,
  metrics: Metrics,
  services: AnyService[],
): RequestObserver[] {
  if (settings.jvmMetricsCollector.enabled) metrics.add(createProcessRegistry());
  if (!settings.metrics.enabled) return [];
  const missingRegistryStatus = settings.metrics['missing-registry-status-code'];
  const { uri } = settings.metrics;
  services.push(createMetricsService({ uri, missingRegistryStatus }, metrics));
  if (!settings.requestsMetricsCollector.enabled) return [];
  return [createRequestMetrics(settings.requestsMetricsCollector, metrics)];
}

function composeObservers(observers: readonly RequestObserver[]): RequestObserver {
  const [only] = observers;
  if (observers.length === 1 && only !== undefined) return only;
  return {
    ended(event) {
      for (const observer of observers) observer.ended(event);
    },
  };
}

/** A URI that does not start with `/` leaves the service unbound, and the server runs (plugins.md §3). */
function isBindable(service: AnyService, log: Log): boolean {
  if ([service.uri, ...(service.routes ?? [])].every((uri) => uri.startsWith('/'))) return true;
  log.error(`Service ${service.name} is not bound: its uri must start with /`, {
    uri: service.uri,
  });
  return false;
}

/** The section's `secured`, else `secure`, overrides the default of the service (security.md §1.1). */
function withSecurity(service: AnyService, settings: Settings): AnyService {
  const section = (settings as Readonly<Record<string, Readonly<Record<string, unknown>>>>)[
    service.name
  ];
  const secured = section?.['secured'] ?? section?.['secure'];
  if (typeof secured !== 'boolean' || secured === service.secured) return service;
  // in place, for a copy would lose the private members of a class; services are made for one composition
  return Object.defineProperty(service, 'secured', { value: secured });
}

function writeErrorBody(error: QuorateError, method: string, context: ErrorContext): string {
  const { exceptionMessage } = error;
  return errorBody({
    status: error.status,
    message: error.message,
    exception: error.exception,
    // what would make the password stronger (security.md §7.3)
    members: error.code === 'ERR_VALIDATION_PASSWORD' ? toDocument(error.details ?? {}) : undefined,
    exceptionMessage:
      typeof exceptionMessage === 'object' ? toDocument(exceptionMessage) : exceptionMessage,
    warnings: context.warnings,
    method,
    jsonMode: context.jsonMode as JsonMode | undefined,
  });
}

function toDocument(value: Readonly<Record<string, unknown>>): BsonDocument {
  return new Map(Object.entries(value) as [string, BsonValue][]);
}
