/** The JSON dialect of bodies: rest-documents.md §2.2. */
import type { RowTable } from '../support/rows.ts';

/** What a client writes, and how it is printed back. */
const INPUTS: readonly (readonly [written: string, printed: string])[] = [
  ['{_id:1,a:2}', '{"_id": 1, "a": 2}'],
  ["{'_id':1,'a':'x'}", '{"_id": 1, "a": "x"}'],
  ['{"_id":1,"a":1.0}', '{"_id": 1, "a": 1.0}'],
  ['{"_id":1,"a":1e2}', '{"_id": 1, "a": 100.0}'],
  [
    '{"_id":1,"a":2147483647,"b":2147483648,"c":-2147483649}',
    '{"_id": 1, "a": 2147483647, "b": 2147483648, "c": -2147483649}',
  ],
  ['{"_id":1,"a":{"$numberInt":"5"}}', '{"_id": 1, "a": 5}'],
  ['{"_id":1,"a":{"$numberLong":"5"}}', '{"_id": 1, "a": 5}'],
  ['{"_id":1,"a":{"$numberDouble":"5"}}', '{"_id": 1, "a": 5.0}'],
  ['{"_id":1,"a":{"$numberDecimal":"5.00"}}', '{"_id": 1, "a": {"$numberDecimal": "5.00"}}'],
  ['{"_id":1,"a":{"$date":"2020-01-01T00:00:00Z"}}', '{"_id": 1, "a": {"$date": 1577836800000 }}'],
  ['{"_id":1,"a":{"$date":{"$numberLong":"5"}}}', '{"_id": 1, "a": {"$date": 5 }}'],
  ['{"_id":1,"a":{"$date":-5}}', '{"_id": 1, "a": {"$date": -5 }}'],
  ['{"_id":1,"a":ISODate("2020-01-01T00:00:00Z")}', '{"_id": 1, "a": {"$date": 1577836800000 }}'],
  ['{"_id":1,"a":new Date(5)}', '{"_id": 1, "a": {"$date": 5 }}'],
  [
    '{"_id":1,"a":ObjectId("5d9a3b1c2f4e6a0012345678")}',
    '{"_id": 1, "a": {"$oid": "5d9a3b1c2f4e6a0012345678"}}',
  ],
  ['{"_id":1,"a":NumberInt(5)}', '{"_id": 1, "a": 5}'],
  ['{"_id":1,"a":NumberLong(5)}', '{"_id": 1, "a": 5}'],
  ['{"_id":1,"a":NumberDecimal("5.0")}', '{"_id": 1, "a": {"$numberDecimal": "5.0"}}'],
  ['{"_id":1,"a":Timestamp(1,2)}', '{"_id": 1, "a": {"$timestamp": {"t": 1, "i": 2}}}'],
  [
    '{"_id":1,"a":BinData(0,"AQI=")}',
    '{"_id": 1, "a": {"$binary": {"base64": "AQI=", "subType": "00"}}}',
  ],
  [
    '{"_id":1,"a":{"$binary":"AQI=","$type":"00"}}',
    '{"_id": 1, "a": {"$binary": {"base64": "AQI=", "subType": "00"}}}',
  ],
  [
    '{"_id":1,"a":/re/i}',
    '{"_id": 1, "a": {"$regularExpression": {"pattern": "re", "options": "i"}}}',
  ],
  [
    '{"_id":1,"a":{"$regularExpression":{"pattern":"re","options":""}}}',
    '{"_id": 1, "a": {"$regularExpression": {"pattern": "re", "options": ""}}}',
  ],
  ['{"_id":1,"a":MinKey,"b":MaxKey}', '{"_id": 1, "a": {"$minKey": 1}, "b": {"$maxKey": 1}}'],
  ['{"_id":1,"a":Infinity}', '{"_id": 1, "a": {"$numberDouble": "Infinity"}}'],
  ['{"_id":1,"a":null,"b":true}', '{"_id": 1, "a": null, "b": true}'],
  ['{"_id":1} and more', '{"_id": 1}'],
  ['{"_id":1,"é":"漢字"}', '{"_id": 1, "é": "漢字"}'],
  ['{"_id":1,"a":"\\u00e9\\n\\"\\\\"}', '{"_id": 1, "a": "é\\n\\"\\\\"}'],
  ['{"_id":1,"__proto__":{"a":1}}', '{"_id": 1, "__proto__": {"a": 1}}'],
  ['{"_id":1,"constructor":1,"toString":2}', '{"_id": 1, "constructor": 1, "toString": 2}'],
  ['{"_id":1,"2":"b","1":"a"}', '{"_id": 1, "2": "b", "1": "a"}'],
  [' \n\t{"_id":1}\n', '{"_id": 1}'],
];

export const JSON_INPUT_ROWS: RowTable = INPUTS.map(([written, printed]) => ({
  name: `stores ${written.trim()}`,
  chapter: '2.2',
  given: [],
  request: 'POST /{db}/{c}',
  content: written,
  status: 201,
  after: [{ request: 'GET /{db}/{c}?keys={"_etag":0}', text: `[${printed}]` }],
}));
