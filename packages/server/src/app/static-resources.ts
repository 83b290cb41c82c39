import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LIST_DEFAULTS } from '../config/schema.ts';
import { QuorateError } from '../errors/quorate-error.ts';
import type { AnyService } from '../model/service.ts';
import type { Log } from '../observe/log.ts';
import { createStaticService } from '../service/static/static-service.ts';

/** Folders that come with the package, by the names that RESTHeart's configuration gives them. */
const EMBEDDED_FOLDERS: ReadonlyMap<unknown, string> = new Map([
  ['static/metrics', fileURLToPath(new URL('../../assets/metrics', import.meta.url))],
]);

/** One service for each entry of the list `static-resources`; a missing folder is an error in the log, and not bound. */
export function createStaticServices(section: unknown, log: Log): AnyService[] {
  const entries: unknown = section ?? LIST_DEFAULTS.get('static-resources');
  if (!Array.isArray(entries)) throw invalid('', 'a list of {what, where, welcome-file, embedded}');
  const services: AnyService[] = [];
  for (const [index, entry] of entries.entries()) {
    const place = `[${index + 1}]`;
    const { what, where, embedded, ...rest } = (entry ?? {}) as Record<string, unknown>;
    const welcomeFile = rest['welcome-file'] ?? 'index.html';
    if (typeof what !== 'string') throw invalid(`${place}/what`, 'a folder');
    if (typeof where !== 'string' || !where.startsWith('/'))
      throw invalid(`${place}/where`, 'a path that starts with /');
    if (typeof welcomeFile !== 'string') throw invalid(`${place}/welcome-file`, 'a file name');
    const embeddedFolder = embedded === true ? EMBEDDED_FOLDERS.get(what) : undefined;
    if (embedded === true && embeddedFolder === undefined) {
      log.warn(`Static resources ${what} are not part of Quorate: ${where} is not bound`);
      continue;
    }
    const folder = embeddedFolder ?? resolve(what);
    if (!existsSync(folder) || !statSync(folder).isDirectory()) {
      log.error(`Static resources: there is no folder ${folder}, ${where} is not bound`);
      continue;
    }
    services.push(createStaticService({ folder, where, welcomeFile }));
  }
  return services;
}

function invalid(place: string, expected: string): QuorateError {
  return new QuorateError('ERR_CONFIG_INVALID', {
    message: `/static-resources${place} must be ${expected}`,
  });
}
