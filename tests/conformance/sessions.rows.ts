/** Sessions and transactions: rest-resources.md §8. They need a replica set. */
import type { Row, RowTable } from '../support/rows.ts';

const CHAPTER = 'resources §8';
const NOT_IN_PROGRESS = 'The given transaction is not in-progress';
const SID = '{sid}';
const TXNS = `/_sessions/${SID}/_txns`;
const START = `POST ${TXNS}`;
const IN = `sid=${SID}&txn=1`;

function row(
  name: string,
  given: readonly string[],
  request: string,
  status: number,
  more: Partial<Row> = {},
): Row {
  return { name, chapter: CHAPTER, given, request, status, ...more };
}

const state = (id: number, status: string) => ({
  request: `GET ${TXNS}`,
  body: { currentTxn: { id, status } },
});

export const SESSION_ROWS: RowTable = [
  row('creates a session', [], 'POST /_sessions', 201, {
    text: '',
    replyHeaders: {
      Location:
        /^http:\/\/[^/]+\/_sessions\/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    },
  }),
  row(
    'creates a session without causal consistency',
    [],
    'POST /_sessions {"ops":{"causallyConsistent":false}}',
    201,
    {
      replyHeaders: { Location: /-4[0-9a-f]{3}-[89][0-9a-f]{3}-[0-9a-f]{12}$/ },
    },
  ),
  row('kills a session', [], `DELETE /_sessions/${SID}`, 200, { text: '' }),
  row('refuses a session id that is no UUID', [], 'DELETE /_sessions/abc', 400, {
    message: 'Invalid session id',
  }),
  row('does not list sessions', [], 'GET /_sessions', 405, { message: 'method GET not allowed' }),
  row('refuses a transaction number that is no number', [], `PATCH ${TXNS}/x`, 400, {
    message: 'illegal txnId: it must be a number',
  }),
  row('knows no transaction at first', [], `GET ${TXNS}`, 200, { body: { currentTxn: null } }),
  row('answers in standard form whatever the representation', [], `GET ${TXNS}?rep=HAL`, 200, {
    body: { currentTxn: null },
  }),
  row('starts a transaction', [], START, 201, {
    text: '',
    replyHeaders: { Location: `${TXNS}/1` },
    after: [state(1, 'IN')],
  }),
  row('does not start a second one', [START], START, 304, { after: [state(1, 'IN')] }),
  row('commits', [START, `POST /{db}/{c}?${IN} {"_id":"a"}`], `PATCH ${TXNS}/1`, 200, {
    text: '',
    after: [
      state(1, 'COMMITTED'),
      { request: 'GET /{db}/{c}?keys={"_id":1}', body: [{ _id: 'a' }] },
    ],
  }),
  row('aborts', [START, `POST /{db}/{c}?${IN} {"_id":"a"}`], `DELETE ${TXNS}/1`, 204, {
    text: '',
    after: [state(1, 'ABORTED'), { request: 'GET /{db}/{c}', body: [] }],
  }),
  row('numbers transactions upwards', [START, `PATCH ${TXNS}/1`], START, 201, {
    replyHeaders: { Location: `${TXNS}/2` },
    after: [state(2, 'IN')],
  }),
  row('commits a committed one again', [START, `PATCH ${TXNS}/1`], `PATCH ${TXNS}/1`, 200),
  row('does not commit an aborted one', [START, `DELETE ${TXNS}/1`], `PATCH ${TXNS}/1`, 400, {
    message: NOT_IN_PROGRESS,
  }),
  row('does not commit an unknown one', [], `PATCH ${TXNS}/1`, 400, { message: NOT_IN_PROGRESS }),
  row(
    'leaves the running one alone when another number is committed',
    [START],
    `PATCH ${TXNS}/7`,
    400,
    {
      message: NOT_IN_PROGRESS,
      after: [state(1, 'IN')],
    },
  ),
  row(
    'leaves the running one alone when another number is aborted',
    [START],
    `DELETE ${TXNS}/7`,
    400,
    {
      message: NOT_IN_PROGRESS,
      after: [state(1, 'IN')],
    },
  ),
  row(
    'shows a transaction its own writes',
    [START, `POST /{db}/{c}?${IN} {"_id":"a"}`],
    `GET /{db}/{c}?${IN}&keys={"_id":1}`,
    200,
    { body: [{ _id: 'a' }] },
  ),
  row(
    'hides them from everybody else',
    [START, `POST /{db}/{c}?${IN} {"_id":"a"}`],
    'GET /{db}/{c}',
    200,
    { body: [] },
  ),
  row(
    'counts inside a transaction',
    [START, `POST /{db}/{c}?${IN} {"_id":"a"}`],
    `GET /{db}/{c}/_size?${IN}`,
    200,
    { body: { _size: 1 } },
  ),
  row(
    'runs outside the transaction with sid alone',
    [START, `POST /{db}/{c}?${IN} {"_id":"a"}`],
    `GET /{db}/{c}?sid=${SID}`,
    200,
    { body: [] },
  ),
  row('ignores txn without sid', [], 'GET /{db}/{c}?txn=5', 200, { body: [] }),
  row('refuses a sid that is no UUID', [], 'GET /{db}/{c}?sid=x', 400, {
    message: 'Invalid session id',
  }),
  row('refuses a txn that is no number', [], `GET /{db}/{c}?sid=${SID}&txn=x`, 400, {
    message: 'Invalid txn',
  }),
  row('refuses reads of a transaction never started', [], `GET /{db}/{c}?${IN}`, 400, {
    message: NOT_IN_PROGRESS,
  }),
  row(
    'refuses writes with a higher number',
    [START],
    `POST /{db}/{c}?sid=${SID}&txn=2 {"_id":"a"}`,
    400,
    {
      message: NOT_IN_PROGRESS,
      after: [state(1, 'IN')],
    },
  ),
  row(
    'refuses writes of a committed transaction',
    [START, `PATCH ${TXNS}/1`],
    `POST /{db}/{c}?${IN} {"_id":"a"}`,
    400,
    { message: NOT_IN_PROGRESS },
  ),
  row(
    'answers 409 to a write conflict',
    [START, `POST /{db}/{c}?${IN} {"_id":"a"}`, 'POST /_sessions/{sid2}/_txns'],
    'POST /{db}/{c}?sid={sid2}&txn=1 {"_id":"a"}',
    409,
    {
      message: 'Write conflict inside transaction',
      after: [
        state(1, 'IN'),
        {
          request: 'GET /_sessions/{sid2}/_txns',
          body: { currentTxn: { id: 1, status: 'ABORTED' } },
        },
      ],
    },
  ),
  ...['0', '-1'].flatMap((number) => [
    row(`does not know transaction ${number}`, [], `PATCH ${TXNS}/${number}`, 400, {
      message: NOT_IN_PROGRESS,
    }),
    row(
      `reads nothing in transaction ${number}`,
      [],
      `GET /{db}/{c}?sid=${SID}&txn=${number}`,
      400,
      {
        message: NOT_IN_PROGRESS,
      },
    ),
  ]),
  row(
    'undoes changed properties with the transaction',
    [START, `PATCH /{db}/{c}?${IN} {"a":1}`],
    `DELETE ${TXNS}/1`,
    204,
    {
      after: [{ request: 'GET /{db}/{c}/_meta?nocache&keys={"_etag":0}', body: { _id: '_meta' } }],
    },
  ),
  row(
    'shows changed properties after the commit',
    [START, `PUT /{db}/{c}?${IN} {"a":1}`],
    `PATCH ${TXNS}/1`,
    200,
    {
      after: [{ request: 'GET /{db}/{c}/_meta?keys={"_etag":0}', body: { _id: '_meta', a: 1 } }],
    },
  ),
  row(
    'makes a collection with the commit',
    [START, `PUT /{db}/{c}-new?${IN} {"a":1}`],
    `PATCH ${TXNS}/1`,
    200,
    {
      after: [
        { request: 'GET /{db}/{c}-new/_meta?keys={"_etag":0}', body: { _id: '_meta', a: 1 } },
      ],
    },
  ),
  row('drops nothing in a transaction', [START], `DELETE /{db}/{c}?${IN}`, 400, {
    message: 'DELETE of this resource cannot be part of a transaction',
    after: [{ request: 'GET /{db}/{c}', body: [] }, state(1, 'IN')],
  }),
];
