import {
  DEFAULT_PIPELINE_SECURITY,
  type PipelineSecurityConfig,
} from './resources/aggregations/pipeline-security.ts';
import type { Representation } from './rest-request.ts';

/** When a write must carry the ETag (rest-documents.md §6). */
export type EtagPolicy = 'REQUIRED' | 'REQUIRED_FOR_DELETE' | 'OPTIONAL';

/** The `mongo` block of the configuration as the REST service uses it (rest-resources.md §13). */
export interface RestConfig {
  /** Prefix of all mounts. */
  readonly uri: string;
  readonly mounts: readonly { readonly what: string; readonly where: string }[];
  /** Base of `Location` instead of the request's scheme and host. */
  readonly instanceBaseUrl: string | undefined;
  readonly defaultRepresentation: Representation;
  readonly etagPolicies: {
    readonly database: EtagPolicy;
    readonly collection: EtagPolicy;
    readonly document: EtagPolicy;
  };
  readonly collectionCache: {
    readonly enabled: boolean;
    readonly maxEntries: number;
    readonly ttlMs: number;
    readonly maxDocuments: number;
  };
  readonly defaultPageSize: number;
  readonly maxPageSize: number;
  readonly schemaCache: { readonly enabled: boolean; readonly ttlMs: number };
  /** 0: no limit. */
  readonly queryTimeLimitMs: number;
  /** 0: no limit. */
  readonly aggregationTimeLimitMs: number;
  readonly aggregationCheckOperators: boolean;
  readonly cursorBatchSize: number;
  /** Whether downloads of files honour `Range`, which the reference ignores (rest-resources.md §7.2). */
  readonly fileRanges: boolean;
  /** Operators refused at any depth of `filter`; empty when the blacklist is off (security.md, filterOperatorsBlacklist). */
  readonly filterOperatorBlacklist: readonly string[];
  /** What stored pipelines may not use (rest-resources.md §6.3). */
  readonly aggregationSecurity: PipelineSecurityConfig;
}

/** The shipped defaults. */
export const DEFAULT_REST_CONFIG: RestConfig = {
  uri: '/',
  mounts: [{ what: '/restheart', where: '/' }],
  instanceBaseUrl: undefined,
  defaultRepresentation: 'STANDARD',
  etagPolicies: {
    database: 'REQUIRED_FOR_DELETE',
    collection: 'REQUIRED_FOR_DELETE',
    document: 'OPTIONAL',
  },
  collectionCache: { enabled: true, maxEntries: 100, ttlMs: 10_000, maxDocuments: 1000 },
  defaultPageSize: 100,
  maxPageSize: 1000,
  schemaCache: { enabled: true, ttlMs: 60_000 },
  queryTimeLimitMs: 0,
  aggregationTimeLimitMs: 0,
  aggregationCheckOperators: true,
  cursorBatchSize: 1000,
  fileRanges: false,
  filterOperatorBlacklist: ['$where'],
  aggregationSecurity: DEFAULT_PIPELINE_SECURITY,
};
