/**
 * What a database other than MongoDB and the embedded engine is known to lack. Rows say what is right, on every server; these
 * lists say which of them a server cannot meet, and why. Such a row must fail: one that passes has to leave its list.
 */

interface Gap {
  readonly chapter: string;
  readonly name: string;
  readonly reason: string;
}

const FORGETS = 'SecantusDB forgets an aborted transaction';
const NEVER_TOO_OLD = 'SecantusDB never answers 225 (TransactionTooOld), which tells the number';

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
