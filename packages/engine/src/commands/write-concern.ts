import { type Document, toDocument, type Value } from '../bson/value.ts';
import { type CodeName, codeOf } from '../errors/codes.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { checkType, isTrue, toNumber } from './field-types.ts';

/** What "acknowledged" shall mean for a write (manual, "Write Concern"). */
export interface WriteConcern {
  /** Answer only once the write would survive a crash of the machine. */
  readonly durable: boolean;
  /** `w: 0`: the client does not look at the answer. */
  readonly acknowledged: boolean;
  /** Joins the reply of a write whose concern one member alone cannot satisfy. */
  readonly error: Document | undefined;
}

const MAX_MEMBERS = 50;
/** A set of one member: majority is the member itself, and majority implies the journal. */
const DEFAULT_WRITE_CONCERN: WriteConcern = { durable: true, acknowledged: true, error: undefined };

/**
 * The write concern of a command; the default is majority, as MongoDB's since 5.0.
 *
 * @throws FailedToParse for what is no write concern
 */
export function parseWriteConcern(
  value: Value | undefined,
  options: { readonly provenance: 'clientSupplied' | 'customDefault' } = {
    provenance: 'clientSupplied',
  },
): WriteConcern {
  const concern = parseConcern(value);
  if (concern.error === undefined || options.provenance === 'clientSupplied') return concern;
  return { ...concern, error: withProvenance(concern.error, options.provenance) };
}

function parseConcern(value: Value | undefined): WriteConcern {
  if (!(value instanceof Map) || value.size === 0) return DEFAULT_WRITE_CONCERN;
  const w = value.get('w');
  checkType('writeConcern.j', value.get('j') ?? null, 'bool');
  if (isTrue(value.get('j')) && isTrue(value.get('fsync'))) {
    throw new MongoCommandError('FailedToParse', 'fsync and j options cannot be used together');
  }
  const journal = isTrue(value.get('j')) || isTrue(value.get('fsync'));
  if (w === undefined) return DEFAULT_WRITE_CONCERN;
  if (typeof w === 'string') {
    const error =
      w === 'majority'
        ? undefined
        : concernError(
            'UnknownReplWriteConcern',
            `No write concern mode named '${w}' found in replica set configuration`,
            value,
          );
    return { durable: true, acknowledged: true, error };
  }
  if (w instanceof Map) {
    return {
      durable: true,
      acknowledged: true,
      error: concernError('UnknownReplWriteConcern', 'no tags in replica set configuration', value),
    };
  }
  return numericConcern(toNumber(w), journal, value);
}

function numericConcern(w: number | undefined, journal: boolean, concern: Document): WriteConcern {
  if (w === undefined || w < 0 || w > MAX_MEMBERS) {
    throw new MongoCommandError(
      'FailedToParse',
      `w has to be a non-negative number and not greater than ${MAX_MEMBERS}`,
    );
  }
  const error =
    w > 1
      ? concernError('UnsatisfiableWriteConcern', 'Not enough data-bearing nodes', concern)
      : undefined;
  return { durable: journal, acknowledged: w > 0, error };
}

function concernError(codeName: CodeName, message: string, concern: Document): Document {
  return toDocument({
    code: codeOf(codeName),
    codeName,
    errmsg: message,
    errInfo: toDocument({
      writeConcern: toDocument({
        w: concern.get('w'),
        wtimeout: concern.get('wtimeout') ?? 0,
        provenance: 'clientSupplied',
      }),
    }),
  });
}

/** MongoDB tells where the concern that failed came from. */
function withProvenance(error: Document, provenance: string): Document {
  const info = new Map(error.get('errInfo') as Document);
  info.set(
    'writeConcern',
    new Map(info.get('writeConcern') as Document).set('provenance', provenance),
  );
  return new Map(error).set('errInfo', info);
}
