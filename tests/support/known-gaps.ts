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

const GAPS: Readonly<Record<string, readonly Gap[]>> = {
  secantusdb: [
    { chapter: 'resources §8', name: 'aborts', reason: FORGETS },
    { chapter: 'resources §8', name: 'answers 409 to a write conflict', reason: FORGETS },
    { chapter: 'resources §8', name: 'numbers transactions upwards', reason: NEVER_TOO_OLD },
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
