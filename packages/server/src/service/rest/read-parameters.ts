/** The query parameters of rest-documents.md §4.1, checked in the order of §3; the first failure is remembered. */

import { QuorateError } from '../../errors/quorate-error.ts';
import type { QueryParameters } from '../../model/http-request.ts';
import { parseJsonMode } from '../../representation/json-mode.ts';
import { illegalIdType, parseIdType } from './document-id.ts';
import { readFilter, readProjection, readShardKey, readVariables } from './json-parameters.ts';
import { readHint, readSortItems } from './order-parameters.ts';
import type { RestConfig } from './rest-config.ts';
import type {
  IdType,
  ReadConcernLevel,
  ReadPreferenceMode,
  Representation,
  RequestedWriteConcern,
  RestParameters,
  WriteMode,
} from './rest-request.ts';

/** What the checks need to know of the request besides its query. */
export interface ParameterContext {
  readonly config: RestConfig;
  /** PATCH and DELETE on `/coll/*` must say which documents they mean. */
  readonly filterMandatory: boolean;
  /** Result of the checks on names, which come between `rep` and `pagesize`. */
  readonly nameError: QuorateError | undefined;
  /** Parses the id of the URI, a check between `id_type` and `hal`. */
  checkId(idType: IdType): void;
}

/** Parameters, the first failure and the warnings. */
export interface ParameterReading {
  readonly parameters: RestParameters;
  readonly error: QuorateError | undefined;
  readonly warnings: string[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const defaultsByConfig = new WeakMap<RestConfig, RestParameters>();

/** What a request without a query asks for. */
export function defaultParameters(config: RestConfig): RestParameters {
  let defaults = defaultsByConfig.get(config);
  if (defaults === undefined) {
    defaults = Object.freeze(createDefaults(config));
    defaultsByConfig.set(config, defaults);
  }
  return defaults;
}

function createDefaults(config: RestConfig): RestParameters {
  return {
    representation: config.defaultRepresentation,
    fullHal: false,
    jsonMode: 'default',
    page: 1,
    pageSize: config.defaultPageSize,
    count: 'none',
    sortItems: [],
    hint: undefined,
    projection: undefined,
    filter: undefined,
    shardKey: undefined,
    aggregationVariables: undefined,
    idType: undefined,
    noProperties: false,
    cache: false,
    noCache: false,
    checkEtag: false,
    writeMode: undefined,
    readConcern: undefined,
    readPreference: undefined,
    writeConcern: undefined,
  };
}

/** Reads and checks a query that is not empty. */
export function readParameters(
  query: QueryParameters,
  context: ParameterContext,
): ParameterReading {
  const parameters: Mutable<RestParameters> = { ...defaultParameters(context.config) };
  const warnings: string[] = [];
  readUnchecked(query, parameters, warnings);
  let error: QuorateError | undefined;
  try {
    if (context.nameError !== undefined) throw context.nameError;
    readChecked(query, parameters, warnings, context);
  } catch (failure) {
    if (!(failure instanceof QuorateError)) throw failure;
    error = failure;
  }
  return { parameters, error, warnings };
}

/** Parameters that cannot fail: bad values are ignored or only warned of. */
function readUnchecked(
  query: QueryParameters,
  parameters: Mutable<RestParameters>,
  warnings: string[],
): void {
  const representation = query.get('rep');
  if (representation !== undefined) {
    const known = parseRepresentation(representation);
    if (known === undefined) {
      warnings.push(
        `illegal rep parameter ${representation} (must be STANDARD, NESTED or HAL; ` +
          'S is an alias for STANDARD; PLAIN_JSON, PJ are aliases for NESTED)',
      );
    } else {
      parameters.representation = known;
    }
  }
  parameters.jsonMode = parseJsonMode(query.get('jsonMode') ?? '') ?? 'default';
  parameters.noProperties = query.has('np');
  parameters.cache = query.has('cache');
  parameters.noCache = query.has('nocache');
  parameters.checkEtag = query.has('checkEtag');
  parameters.writeMode = readWriteMode(query);
  parameters.readConcern = oneOf(READ_CONCERNS, query.get('readConcern'));
  parameters.readPreference = parseReadPreference(query.get('readPreference'));
  parameters.writeConcern = parseWriteConcern(query.get('writeConcern'));
}

const WRITE_MODES: readonly WriteMode[] = ['insert', 'update', 'upsert'];
const READ_CONCERNS: readonly ReadConcernLevel[] = [
  'local',
  'available',
  'majority',
  'linearizable',
  'snapshot',
];
const READ_PREFERENCES: readonly ReadPreferenceMode[] = [
  'primary',
  'primaryPreferred',
  'secondary',
  'secondaryPreferred',
  'nearest',
];
const WRITE_CONCERNS: ReadonlyMap<string, RequestedWriteConcern> = new Map<
  string,
  RequestedWriteConcern
>([
  ['ACKNOWLEDGED', {}],
  ['UNACKNOWLEDGED', { w: 0 }],
  ['W1', { w: 1 }],
  ['W2', { w: 2 }],
  ['W3', { w: 3 }],
  ['JOURNALED', { journal: true }],
  ['MAJORITY', { w: 'majority' }],
]);

function oneOf<T extends string>(values: readonly T[], text: string | undefined): T | undefined {
  return text === undefined ? undefined : values.find((value) => value === text);
}

/** Value of `rep` or of the configured default; undefined when unknown. */
export function parseRepresentation(text: string): Representation | undefined {
  switch (text.toUpperCase()) {
    case 'STANDARD':
    case 'S':
      return 'STANDARD';
    case 'HAL':
      return 'HAL';
    case 'SHAL':
    case 'PLAIN_JSON':
    case 'PJ':
      return 'SHAL';
    default:
      return undefined;
  }
}

function readWriteMode(query: QueryParameters): WriteMode | undefined {
  const text = query.get('writeMode') ?? query.get('wm');
  return oneOf(WRITE_MODES, text?.toLowerCase());
}

function parseReadPreference(text: string | undefined): ReadPreferenceMode | undefined {
  const lower = text?.toLowerCase();
  return lower === undefined
    ? undefined
    : READ_PREFERENCES.find((mode) => mode.toLowerCase() === lower);
}

function parseWriteConcern(text: string | undefined): RequestedWriteConcern | undefined {
  return text === undefined ? undefined : WRITE_CONCERNS.get(text.toUpperCase());
}

/** The checks of rest-documents.md §3 item 2 from `pagesize` on, in that order. */
function readChecked(
  query: QueryParameters,
  parameters: Mutable<RestParameters>,
  warnings: string[],
  context: ParameterContext,
): void {
  const { config } = context;
  parameters.pageSize = readPageSize(query.get('pagesize'), config);
  parameters.page = readPage(query.get('page'));
  parameters.count = readCount(query);
  parameters.sortItems = readSortItems(query, warnings);
  parameters.hint = readHint(query);
  parameters.projection = readProjection(query.getAll('keys'));
  parameters.filter = readFilter(query.getAll('filter'));
  if (context.filterMandatory && parameters.filter === undefined) throw filterMandatory();
  parameters.aggregationVariables = readVariables(query.get('avars'), config);
  const idType = query.get('id_type');
  if (idType !== undefined && idType !== '') {
    parameters.idType = parseIdType(idType);
    if (parameters.idType === undefined) throw illegalIdType();
  }
  context.checkId(parameters.idType ?? 'STRING_OID');
  parameters.fullHal = readHal(query.get('hal'));
  parameters.shardKey = readShardKey(query.get('shardkey'));
}

/** The refusal of a bulk write that does not say which documents it means. */
export function filterMandatory(): QuorateError {
  return new QuorateError('ERR_REQUEST_FILTER_MISSING', {
    message: 'filter parameter is mandatory for bulk write requests',
  });
}

/** A 32-bit integer as Java's `Integer.parseInt` reads it; undefined for anything else. */
function parseInt32(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= -2147483648 && value <= 2147483647 ? value : undefined;
}

function notANumber(
  code: 'ERR_REQUEST_PAGE' | 'ERR_REQUEST_PAGESIZE',
  name: string,
  text: string,
): QuorateError {
  return new QuorateError(code, {
    message: `illegal ${name} parameter, it is not a number`,
    exception: 'java.lang.NumberFormatException',
    exceptionMessage: `For input string: '${text}'`,
  });
}

function readPageSize(text: string | undefined, config: RestConfig): number {
  if (text === undefined) return config.defaultPageSize;
  const value = parseInt32(text);
  if (value === undefined) throw notANumber('ERR_REQUEST_PAGESIZE', 'pagesize', text);
  if (value < 0 || value > config.maxPageSize) {
    throw new QuorateError('ERR_REQUEST_PAGESIZE', {
      message: `illegal pagesize parameter, pagesize must be >= 0 and <= ${config.maxPageSize}`,
    });
  }
  return value;
}

function readPage(text: string | undefined): number {
  if (text === undefined) return 1;
  const value = parseInt32(text);
  if (value === undefined) throw notANumber('ERR_REQUEST_PAGE', 'page', text);
  if (value < 1) {
    throw new QuorateError('ERR_REQUEST_PAGE', { message: 'illegal page parameter, it is < 1' });
  }
  return value;
}

function readCount(query: QueryParameters): RestParameters['count'] {
  const text = query.get('count');
  if (text === undefined) return 'none';
  return text.toLowerCase() === 'estimated' ? 'estimated' : 'exact';
}

function readHal(text: string | undefined): boolean {
  if (text === undefined) return false;
  switch (text.toUpperCase()) {
    case 'C':
    case 'COMPACT':
      return false;
    case 'F':
    case 'FULL':
      return true;
    default:
      throw new QuorateError('ERR_REQUEST_HAL', {
        message: 'illegal hal parameter; valid values are [FULL, F, COMPACT, C]',
      });
  }
}
