import type { HttpRequest } from './http-request.ts';
import type { Identity } from './identity.ts';
import type { Permit } from './permit.ts';
import type { Reply } from './reply.ts';
import type { RequestTraits } from './request-traits.ts';

/** The three CORS lists of one answer (operations.md §10); comma and space separated. */
export interface CorsLists {
  readonly allowMethods: string;
  readonly allowHeaders: string;
  readonly exposeHeaders: string;
}

/** What the steps before the service found out. */
export interface ServiceContext {
  readonly identity: Identity;
  readonly permit: Permit;
}

/**
 * Answers the requests under its URIs; our own services and those of plugins share this contract.
 *
 * `P` is the typed request that `prepare` makes of the raw one.
 */
export interface Service<P = unknown> {
  readonly name: string;
  /** Starts with `/`. */
  readonly uri: string;
  /** Further URIs under which the same service answers (mounts). */
  readonly routes?: readonly string[];
  /** `prefix`: the path equals a URI or starts with it and `/`. */
  readonly match: 'prefix' | 'exact';
  /** False: authentication is tried, but never required. */
  readonly secured: boolean;
  /** True: who asks does not matter, and accounts that cannot be looked up do no harm. */
  readonly needsNobody?: boolean;
  /** Shape of error bodies: RESTHeart's error object, or `{"msg":…}` (plugins.md §6). Default `msg`. */
  readonly errorStyle?: 'mongo' | 'msg';
  /** Media type of error bodies of the style `mongo`, where it is not `application/json`. */
  readonly errorMediaType?: string;
  /** CORS lists of this answer; undefined gives the defaults of operations.md §10. */
  cors?(request: HttpRequest, prepared: P | undefined): CorsLists | undefined;
  /**
   * Makes the typed request, before authentication: reads no body, and remembers client errors that
   * rest-documents.md §3 wants after authorization. A throw is sent at once.
   */
  prepare?(request: HttpRequest): Promise<P> | P;
  /** OPTIONS comes here only when `handlesOptions`; otherwise the pipeline answers 200 with the CORS lists. */
  handle(request: HttpRequest, prepared: P, context: ServiceContext): Promise<Reply> | Reply;
  readonly handlesOptions?: boolean;
  /** Options of the error body of a failure in `handle`: the warnings and the JSON mode that the request asked for. */
  errorContext?(request: HttpRequest, prepared: P | undefined): ErrorContext;
  /**
   * Static resources: no authentication, interceptors, CORS, compression, metrics, tracing or `X-Powered-By`
   * (operations.md §9).
   */
  readonly bare?: boolean;
  /** Another server answers: no CORS headers, `X-Powered-By`, `Date` or metrics of ours (operations.md §8). */
  readonly isProxy?: boolean;
  /** What authorization has to know; only of services whose requests touch documents. */
  traits?(request: HttpRequest, prepared: P): RequestTraits;
  /** Set for a request kind that interceptors are bound to (plugins.md §6): `mongo`, `json`, `bytes` … */
  readonly kind?: string;
  /** Closes what the service holds. */
  close?(): Promise<void>;
}

/** What an error body takes from the request (rest-documents.md §2.5). */
export interface ErrorContext {
  readonly warnings?: readonly string[];
  readonly jsonMode?: string;
}

/** A service whose typed request is its own business; what lists of services hold. */
// biome-ignore lint/suspicious/noExplicitAny: P is private to each service, and only its own methods exchange it
export type AnyService = Service<any>;
