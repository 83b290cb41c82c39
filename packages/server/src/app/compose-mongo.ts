/** The services that need MongoDB; loaded only when one of them is enabled, for the driver takes time to load. */

import type { Settings } from '../config/schema.ts';
import type { DatabaseProbePort } from '../model/ports.ts';
import type { AnyService } from '../model/service.ts';
import { createMongoAccess } from '../mongo/client.ts';
import type { MongoAccess } from '../mongo/mongo-access.ts';
import { createDatabaseProbeService } from '../service/health/database-probe-service.ts';
import { NO_CONTENT_CHECKS } from '../service/rest/handler.ts';
import { createRestService } from '../service/rest/rest-service.ts';
import { toRestConfig } from './rest-settings.ts';

/** The connection and the services on it. */
export interface MongoParts {
  readonly mongo: MongoAccess;
  readonly services: readonly AnyService[];
  close(): Promise<void>;
}

/** Connects, without waiting for the database, and makes the services. */
export function composeMongo(settings: Settings, connectionString: string): MongoParts {
  const metadataTtlMs = settings.mongo['local-cache-ttl'];
  const mongo = createMongoAccess({
    connectionString,
    appName: 'quorate',
    metadataTtlMs: !settings.mongo['local-cache-enabled']
      ? 0
      : metadataTtlMs < 0
        ? Number.MAX_SAFE_INTEGER
        : metadataTtlMs,
  });
  const services: AnyService[] = [];
  if (settings.mongo.enabled) {
    const config = toRestConfig(settings);
    services.push(createRestService({ mongo, config, checks: NO_CONTENT_CHECKS }));
  }
  const probe = settings['database-probe'];
  if (probe.enabled) {
    services.push(
      createDatabaseProbeService(
        { uri: probe.uri, databaseName: probe.dbname, timeoutMs: probe['timeout-ms'] },
        probePort(mongo),
      ),
    );
  }
  return { mongo, services, close: () => mongo.close() };
}

function probePort(mongo: MongoAccess): DatabaseProbePort {
  return {
    async ping(_databaseName, timeoutMs) {
      const startedAtMs = Date.now();
      let timer: NodeJS.Timeout | undefined;
      // the driver's own limit does not cover looking for a server that is away
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), timeoutMs);
      });
      try {
        const outcome = await Promise.race([mongo.ping(timeoutMs).then(() => 'ok' as const), late]);
        if (outcome === 'late') return { status: 'timeout' };
        return { status: 'ok', latencyMs: Date.now() - startedAtMs };
      } catch (error) {
        if (Date.now() - startedAtMs >= timeoutMs) return { status: 'timeout' };
        return { status: 'error', message: error instanceof Error ? error.message : String(error) };
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
