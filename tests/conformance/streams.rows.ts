/** What opening a change stream answers when it does not open: streams.md §2. */
import type { Row, RowTable } from '../support/rows.ts';

const CHAPTER = 'streams §2';
const UPGRADE = { Connection: 'Upgrade', Upgrade: 'websocket' };
const HANDSHAKE = {
  ...UPGRADE,
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const SSE = { Accept: 'text/event-stream' };

/** A collection that declares these streams. */
function declare(...streams: string[]): string[] {
  return [`PUT /{db}/{c} {"streams":[${streams.join(',')}]}`];
}

function open(name: string, streams: string[], answer: Partial<Row> & { status: number }): Row {
  return {
    name,
    chapter: CHAPTER,
    given: declare(...streams),
    request: 'GET /{db}/{c}/_streams/s',
    headers: SSE,
    ...answer,
  };
}

const ALL = '{"uri":"s","stages":[]}';
const BOUND = '{"uri":"s","stages":[{"$match":{"fullDocument.n":{"$var":"n"}}}]}';
const OUT = '{"uri":"s","stages":[{"$match":{}},{"$out":"x"}]}';
const NAMELESS = '{"stages":[]}';
const notifyWhen = (rule: string) => `{"uri":"s","stages":[],"notify_when":${rule}}`;
const METHOD = 'has no method but GET:';

export const STREAM_ROWS: RowTable = [
  open('wants one of the two transports', [ALL], {
    headers: {},
    status: 400,
    message: /^Change Stream requires WebSocket or SSE/,
  }),
  open('takes no upgrade without its Connection header for a WebSocket', [ALL], {
    headers: { Upgrade: 'websocket' },
    status: 400,
    message: /^Change Stream requires WebSocket or SSE/,
  }),
  open('answers 404 to a stream that is not declared', [ALL], {
    request: 'GET /{db}/{c}/_streams/other',
    status: 404,
    message: 'Change Stream does not exist',
  }),
  open('answers 404 before it asks for a transport', [ALL], {
    request: 'GET /{db}/{c}/_streams/other',
    headers: {},
    status: 404,
    message: 'Change Stream does not exist',
  }),
  open('answers 404 on a collection without streams', [], {
    given: [],
    headers: HANDSHAKE,
    status: 404,
    message: 'Change Stream does not exist',
    replyHeaders: { 'Access-Control-Allow-Origin': '*' },
  }),
  open('answers 404 on a missing collection', [], {
    given: [],
    collection: false,
    request: 'GET /{db}/{c}-missing/_streams/s',
    status: 404,
    message: /does not exist/,
  }),
  open('fails all streams beside one without a uri', [ALL, NAMELESS], {
    status: 500,
    message: "query does not have 'uri' property",
  }),
  open('fails before it looks for the name', [ALL, NAMELESS], {
    request: 'GET /{db}/{c}/_streams/other',
    headers: {},
    status: 500,
    message: "query does not have 'uri' property",
  }),
  open('fails without stages', ['{"uri":"s"}'], {
    status: 500,
    message: "query does not have 'stages' property",
  }),
  open('fails with a stage that is no object', ['{"uri":"s","stages":[1]}'], { status: 500 }),
  open('fails with a malformed $ifvar', ['{"uri":"s","stages":[{"$ifvar":"x"}]}'], { status: 500 }),
  open('fails with a stage the database does not know', ['{"uri":"s","stages":[{"$foo":1}]}'], {
    status: 500,
  }),
  ...[
    '{"fullDocument::a":{"$var":"a"},"fullDocument::b":{"$var":"b"}}',
    '{"fullDocument.a":{"$var":"a"}}',
    '{"fullDocument::a":"a"}',
    '{}',
    '"a"',
  ].map((rule) =>
    open(`fails with notify_when ${rule}`, [notifyWhen(rule)], { headers: {}, status: 500 }),
  ),
  open('refuses an unbound variable', [BOUND], { status: 400, message: 'variable n not bound' }),
  open('asks for a transport before it binds variables', [BOUND], {
    headers: {},
    status: 400,
    message: /^Change Stream requires/,
  }),
  open('refuses an unbound variable before the handshake', [BOUND], {
    headers: UPGRADE,
    status: 400,
    message: 'variable n not bound',
  }),
  open('leaves @user.x unbound without an account', [BOUND.replace('"n"}', '"@user._id"}')], {
    status: 400,
    message: 'variable @user._id not bound',
  }),
  open('lets nobody set a predefined variable', [BOUND.replace('"n"}', '"@user._id"}')], {
    request: 'GET /{db}/{c}/_streams/s?avars={"@user":{"_id":1}}',
    status: 400,
    message: 'variable @user._id not bound',
  }),
  open('refuses avars that are no object', [ALL], {
    request: 'GET /{db}/{c}/_streams/s?avars=[1]',
    status: 400,
    message: 'illegal avars parameter, it is not a json object: [1]',
  }),
  open('refuses operators in avars', [ALL], {
    request: 'GET /{db}/{c}/_streams/s?avars={"a":{"b":[{"$gt":1}]}}',
    status: 400,
    message: /^illegal avars parameter: /,
    exception: 'java.lang.SecurityException',
    exceptionMessage: 'aggregation variables cannot include operators',
  }),
  open('refuses a blacklisted stage', [OUT], {
    status: 403,
    message:
      "Cannot open change stream: Security violation: BLACKLISTED_STAGE operator '$out' at pipeline[1] - Pipeline stage is in security blacklist",
  }),
  open('refuses a blacklisted stage before the handshake', [OUT], {
    headers: UPGRADE,
    status: 403,
    message: /^Cannot open change stream: /,
  }),
  open('refuses a handshake without key and version, last of all', [ALL], {
    headers: UPGRADE,
    status: 400,
    message: /Sec-WebSocket-Key/,
  }),
  open('tells an upgrade without key first what its stream deserves', [ALL], {
    request: 'GET /{db}/{c}/_streams/other',
    headers: UPGRADE,
    status: 404,
    message: 'Change Stream does not exist',
  }),
  ...['POST', 'PUT', 'PATCH', 'DELETE'].map((method) =>
    open(`${METHOD} ${method}`, [ALL], {
      request: `${method} /{db}/{c}/_streams/s${method === 'DELETE' ? '' : ' {}'}`,
      headers: {},
      status: 405,
      message: `method ${method} not allowed`,
    }),
  ),
  open('does not list the streams', [ALL], {
    request: 'GET /{db}/{c}/_streams',
    headers: {},
    status: 405,
  }),
  open('tells its method', [ALL], {
    request: 'OPTIONS /{db}/{c}/_streams/s',
    headers: {},
    status: 200,
    replyHeaders: { 'Access-Control-Allow-Methods': 'GET' },
  }),
  open('ignores an upgrade of any other resource', [ALL], {
    request: 'GET /{db}/{c}',
    headers: HANDSHAKE,
    status: 200,
    body: [],
  }),
  open('shows declarations as they were sent', [], {
    given: [
      'PUT /{db}/{c} {"streams":[{"uri":"s","stages":[{"_$match":{"fullDocument::n":1}},{"$match":{"fullDocument.m":1}}]}]}',
    ],
    request: 'GET /{db}/{c}/_meta?keys={"streams":1}',
    headers: {},
    status: 200,
    bodyHas: {
      streams: [
        {
          uri: 's',
          stages: [{ _$match: { 'fullDocument::n': 1 } }, { $match: { 'fullDocument.m': 1 } }],
        },
      ],
    },
  }),
];
