/**
 * What a database other than MongoDB and the embedded engine is known to lack. Rows say what is right, on every server; these
 * lists say which of them a server cannot meet, and why. Such a row must fail: one that passes has to leave its list.
 */

interface Gap {
  readonly chapter: string;
  readonly name: string;
  readonly reason: string;
}

// Both seen on SecantusDB 0.7.0b3 by commands over the wire. MongoDB answers the first with 251 and `Transaction with
// { txnNumber: 1 } has been aborted.`, the second with 225 and the newer number.
const FORGETS =
  'SecantusDB answers to an aborted transaction as to one that never was (251 `does not match any in-progress`)';
const NEVER_TOO_OLD =
  'SecantusDB answers 251 in place of 225 (TransactionTooOld) to a number below the latest';

// Seen on the same server by the rows themselves: it takes what MongoDB refuses, or refuses it by another code.
const LENIENT = 'SecantusDB takes what MongoDB refuses';
const UNPARSED = 'SecantusDB does not look into a pipeline that finds no documents';
const OTHER_CODE = 'SecantusDB refuses the stage by another code than MongoDB';

const GAPS: Readonly<Record<string, readonly Gap[]>> = {
  secantusdb: [
    { chapter: 'resources §8', name: 'aborts', reason: FORGETS },
    { chapter: 'resources §8', name: 'answers 409 to a write conflict', reason: FORGETS },
    { chapter: 'resources §8', name: 'numbers transactions upwards', reason: NEVER_TOO_OLD },
    {
      chapter: '3',
      name: 'names the error of a stage that updates cannot have',
      reason: OTHER_CODE,
    },
    { chapter: '3', name: 'refuses to project a path that ends with a dot', reason: LENIENT },
    {
      chapter: 'graphql §5.3',
      name: 'fails it also where the database is missing',
      reason: UNPARSED,
    },
    { chapter: 'bad input', name: 'PATCH /{db}/{c}/a [{}]', reason: OTHER_CODE },
    { chapter: 'bad input', name: 'PUT /{db}/ag/_indexes/x {"keys":{"a":0}}', reason: LENIENT },
    { chapter: 'bad input', name: 'GET /{db}/ag/_aggrs/operator', reason: UNPARSED },
    {
      chapter: 'bad input',
      name: 'GET /{db}/{c} Quorate-Consistency: 4000000000.1',
      reason: 'SecantusDB answers reads after a cluster time that has not come',
    },
  ],
};

/** Why a row is expected to fail on the server that `CONFORMANCE_GAPS` names; undefined for nearly all. */
export function gapOf(row: {
  readonly chapter: string;
  readonly name: string;
}): string | undefined {
  const gaps = GAPS[process.env['CONFORMANCE_GAPS'] ?? ''] ?? [];
  return gaps.find(({ chapter, name }) => chapter === row.chapter && name === row.name)?.reason;
}
