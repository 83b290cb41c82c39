import type { Settings } from '../config/schema.ts';
import { QuorateError } from '../errors/quorate-error.ts';
import { parseRepresentation } from '../service/rest/read-parameters.ts';
import type { EtagPolicy, RestConfig } from '../service/rest/rest-config.ts';

type Mounts = RestConfig['mounts'];

/**
 * The sections `mongo`, `core` and `filterOperatorsBlacklist` as the REST service uses them.
 *
 * @param warn - told of values in whose place the default is taken
 */
export function toRestConfig(
  settings: Settings,
  warn: (message: string) => void = () => undefined,
): RestConfig {
  const { mongo } = settings;
  const blacklist = settings.filterOperatorsBlacklist;
  return {
    uri: mongo.uri,
    mounts: readMounts(mongo['mongo-mounts']),
    instanceBaseUrl: settings.core['base-url'] ?? mongo['instance-base-url'] ?? undefined,
    defaultRepresentation: toRepresentation(mongo['default-representation-format']),
    etagPolicies: readEtagPolicies(mongo['etag-check-policy'], warn),
    collectionCache: {
      enabled: mongo['get-collection-cache-enabled'],
      maxEntries: mongo['get-collection-cache-size'],
      ttlMs: mongo['get-collection-cache-ttl'],
      maxDocuments: mongo['get-collection-cache-docs'],
    },
    defaultPageSize: mongo['default-pagesize'],
    maxPageSize: mongo['max-pagesize'],
    schemaCache: { enabled: mongo['schema-cache-enabled'], ttlMs: mongo['schema-cache-ttl'] },
    queryTimeLimitMs: mongo['query-time-limit'],
    aggregationTimeLimitMs: mongo['aggregation-time-limit'],
    aggregationCheckOperators: mongo['aggregation-check-operators'],
    cursorBatchSize: mongo['cursor-batch-size'],
    fileRanges: mongo['file-ranges'],
    filterOperatorBlacklist: blacklist.enabled ? blacklist.blacklist : [],
    aggregationSecurity: readSecurity(settings),
  };
}

/** @throws ERR_CONFIG_INVALID for names that do not start with `$` (rest-resources.md §6.3) */
function readSecurity({ aggregationSecurity }: Settings): RestConfig['aggregationSecurity'] {
  for (const key of ['stageBlacklist', 'operatorBlacklist'] as const) {
    const wrong = aggregationSecurity[key].find((name) => !name.startsWith('$'));
    if (wrong === undefined) continue;
    throw new QuorateError('ERR_CONFIG_INVALID', {
      message: `/aggregationSecurity/${key}: ${wrong} must start with $`,
    });
  }
  return aggregationSecurity;
}

function toRepresentation(name: string): RestConfig['defaultRepresentation'] {
  return parseRepresentation(name) ?? 'STANDARD';
}

function readMounts(value: unknown): Mounts {
  if (!Array.isArray(value)) throw invalid('mongo-mounts', 'a list of {what, where}');
  return value.map((mount: unknown, index) => {
    const { what, where } = (mount ?? {}) as Record<string, unknown>;
    const place = `mongo-mounts[${index + 1}]`;
    if (typeof what !== 'string' || what === '')
      throw invalid(`${place}/what`, '* or a path such as /db or /db/collection');
    if (typeof where !== 'string' || !where.startsWith('/'))
      throw invalid(`${place}/where`, 'a path that starts with /');
    return { what, where };
  });
}

const POLICIES: ReadonlySet<string> = new Set(['REQUIRED', 'REQUIRED_FOR_DELETE', 'OPTIONAL']);

const POLICY_TARGETS: readonly string[] = ['db', 'coll', 'doc'];

/** Wrong values are warned of, and the default taken (rest-resources.md §13). */
function readEtagPolicies(
  value: Readonly<Record<string, unknown>>,
  warn: (message: string) => void,
): RestConfig['etagPolicies'] {
  for (const key of Object.keys(value)) {
    if (POLICY_TARGETS.includes(key)) continue;
    warn(
      `Unknown key /mongo/etag-check-policy/${key} is ignored; there are ${POLICY_TARGETS.join(', ')}`,
    );
  }
  const read = (key: string, fallback: EtagPolicy): EtagPolicy => {
    const policy = value[key];
    if (policy === undefined || policy === null) return fallback;
    const name = typeof policy === 'string' ? policy.toUpperCase() : '';
    if (POLICIES.has(name)) return name as EtagPolicy;
    warn(
      `/mongo/etag-check-policy/${key} must be one of ${[...POLICIES].join(', ')}: ${fallback} is used`,
    );
    return fallback;
  };
  return {
    database: read('db', 'REQUIRED_FOR_DELETE'),
    collection: read('coll', 'REQUIRED_FOR_DELETE'),
    document: read('doc', 'OPTIONAL'),
  };
}

function invalid(key: string, expected: string): QuorateError {
  return new QuorateError('ERR_CONFIG_INVALID', { message: `/mongo/${key} must be ${expected}` });
}
