// biome-ignore-all lint/suspicious/noThenProperty: $cond and $switch have a `then`
import { describe, expect, it } from 'vitest';
import { DateTime, Decimal128, Double, ObjectId, Timestamp } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { createExpressionCompiler } from './expression.ts';
import { type Plain, toDocumentOf, toPlain, toValue } from './plain-value.ts';

const NOW = new DateTime(1_700_000_000_000n);
const compile = createExpressionCompiler({ now: NOW });

function run(spec: Plain, document: object = {}): Plain {
  return toPlain(compile(toValue(spec))(toDocumentOf(document)));
}

function errorOf(spec: Plain, document: object = {}): { code: number; message: string } {
  try {
    run(spec, document);
  } catch (error) {
    if (error instanceof MongoCommandError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('no error');
}

const double = (value: number): Plain => ({ $double: value });
const date = (text: string): Date => new Date(text);
const dec = (text: string): Decimal128 => Decimal128.fromString(text);

type Row = readonly [name: string, spec: Plain, document: object, expected: Plain];

const LITERALS: readonly Row[] = [
  ['a field', '$a', { a: 1 }, 1],
  ['a missing field', '$b', { a: 1 }, undefined],
  ['a path', '$a.b.c', { a: { b: { c: 5 } } }, 5],
  ['a path through an array', '$a.b', { a: [{ b: 1 }, { c: 2 }, 3, { b: 4 }, [{ b: 5 }]] }, [1, 4]],
  ['ROOT', '$$ROOT', { a: 1 }, { a: 1 }],
  ['CURRENT', '$$CURRENT.a', { a: 1 }, 1],
  ['NOW', '$$NOW', {}, new Date(1_700_000_000_000)],
  ['REMOVE', '$$REMOVE', {}, undefined],
  ['an object without its missing fields', { x: '$a', y: '$b' }, { a: 1 }, { x: 1 }],
  ['an array with null for missing', ['$a', '$b'], { a: 1 }, [1, null]],
  ['$literal', { $literal: '$a' }, { a: 1 }, '$a'],
  ['$let', { $let: { vars: { x: '$a', y: 2 }, in: { $add: ['$$x', '$$y'] } } }, { a: 1 }, 3],
  [
    'nested $let',
    { $let: { vars: { x: 1 }, in: { $let: { vars: { x: 2, y: '$$x' }, in: ['$$x', '$$y'] } } } },
    {},
    [2, 1],
  ],
];

const ARITHMETIC: readonly Row[] = [
  ['$add', { $add: ['$a', 2, 3] }, { a: 1 }, 6],
  ['$add int overflow to long', { $add: [2147483647, 1] }, {}, 2147483648n],
  ['$add of double', { $add: [1, 1.5] }, {}, 2.5],
  ['$add keeps double', { $add: [1, new Double(2)] }, {}, double(3)],
  ['$add with null', { $add: [1, null] }, {}, null],
  [
    '$add date',
    { $add: [date('2024-01-01T00:00:00Z'), 3600000] },
    {},
    date('2024-01-01T01:00:00Z'),
  ],
  ['$subtract', { $subtract: [5, 7] }, {}, -2],
  [
    '$subtract dates',
    { $subtract: [date('2024-01-02T00:00:00Z'), date('2024-01-01T00:00:00Z')] },
    {},
    86400000n,
  ],
  ['$multiply', { $multiply: [3, 4] }, {}, 12],
  ['$multiply decimal', { $multiply: [dec('1.5'), 2] }, {}, dec('3.0')],
  ['$divide', { $divide: [80, 8] }, {}, double(10)],
  ['$mod', { $mod: [80, 7] }, {}, 3],
  ['$mod negative', { $mod: [-5, 3] }, {}, -2],
  ['$abs', { $abs: -1 }, {}, 1],
  ['$abs int min', { $abs: -2147483648 }, {}, 2147483648n],
  ['$ceil', { $ceil: 7.8 }, {}, double(8)],
  ['$floor', { $floor: -2.8 }, {}, double(-3)],
  ['$floor int', { $floor: 1 }, {}, 1],
  ['$round half to even', { $round: [2.5] }, {}, double(2)],
  ['$round places', { $round: [19.25, 1] }, {}, 19.2],
  ['$round tens', { $round: [45, -1] }, {}, 40],
  ['$trunc', { $trunc: [7.85, 1] }, {}, 7.8],
  ['$sqrt', { $sqrt: 100 }, {}, double(10)],
  ['$pow', { $pow: [5, 2] }, {}, 25],
  ['$pow to long', { $pow: [2, 40] }, {}, 1099511627776n],
  ['$pow negative', { $pow: [5, -2] }, {}, 0.04],
  ['$exp', { $exp: 0 }, {}, double(1)],
  ['$ln', { $ln: 1 }, {}, double(0)],
  ['$log', { $log: [100, 10] }, {}, double(2)],
  ['$log10', { $log10: 1000 }, {}, double(3)],
  ['$bitAnd', { $bitAnd: [5, 3] }, {}, 1],
  ['$bitOr long', { $bitOr: [5n, 3] }, {}, 7n],
  ['$bitXor', { $bitXor: [5, 3] }, {}, 6],
  ['$bitNot', { $bitNot: 5 }, {}, -6],
  ['$sin', { $sin: 0 }, {}, double(0)],
  ['$degreesToRadians', { $degreesToRadians: 180 }, {}, Math.PI],
  ['$atan2', { $atan2: [0, 1] }, {}, double(0)],
];

const ARRAYS: readonly Row[] = [
  ['$arrayElemAt', { $arrayElemAt: [[1, 2, 3], -2] }, {}, 2],
  ['$arrayElemAt out of bounds', { $arrayElemAt: [[1, 2, 3], 15] }, {}, undefined],
  ['$concatArrays', { $concatArrays: [['a'], ['b', ['c']]] }, {}, ['a', 'b', ['c']]],
  [
    '$filter',
    { $filter: { input: [1, 'a', 2, null, 3.1], as: 'n', cond: { $isNumber: '$$n' } } },
    {},
    [1, 2, 3.1],
  ],
  [
    '$filter limit',
    { $filter: { input: [1, 2, 3], cond: { $gt: ['$$this', 1] }, limit: 1 } },
    {},
    [2],
  ],
  ['$map', { $map: { input: '$a', as: 'g', in: { $add: ['$$g', 2] } } }, { a: [5, 6] }, [7, 8]],
  [
    '$reduce',
    { $reduce: { input: ['a', 'b'], initialValue: '', in: { $concat: ['$$value', '$$this'] } } },
    {},
    'ab',
  ],
  ['$first', { $first: [[1, 2]] }, {}, 1],
  ['$first of field', { $first: '$a' }, { a: [1, 2] }, 1],
  ['$last', { $last: '$a' }, { a: [1, 2] }, 2],
  ['$in', { $in: [2, [1, 2]] }, {}, true],
  ['$indexOfArray', { $indexOfArray: [['a', 'abc'], 'abc'] }, {}, 1],
  ['$indexOfArray range', { $indexOfArray: [['a', 'b', 'c'], 'b', 2] }, {}, -1],
  ['$isArray', { $isArray: [['hello']] }, {}, true],
  ['$isArray of text', { $isArray: ['hello'] }, {}, false],
  ['$range', { $range: [0, 10, 3] }, {}, [0, 3, 6, 9]],
  ['$range down', { $range: [10, 0, -4] }, {}, [10, 6, 2]],
  ['$reverseArray', { $reverseArray: [[1, 2, 3]] }, {}, [3, 2, 1]],
  ['$size', { $size: '$a' }, { a: [1, 2] }, 2],
  ['$slice', { $slice: [[1, 2, 3], 1, 1] }, {}, [2]],
  ['$slice negative', { $slice: [[1, 2, 3], -2] }, {}, [2, 3]],
  ['$slice past start', { $slice: [[1, 2, 3], -15, 2] }, {}, [1, 2]],
  ['$zip', { $zip: { inputs: [['a', 'b'], [1]] } }, {}, [['a', 1]]],
  [
    '$zip longest',
    { $zip: { inputs: [['a', 'b'], [1]], useLongestLength: true, defaults: ['x', 0] } },
    {},
    [
      ['a', 1],
      ['b', 0],
    ],
  ],
  [
    '$objectToArray',
    { $objectToArray: '$a' },
    { a: { x: 1, y: 2 } },
    [
      { k: 'x', v: 1 },
      { k: 'y', v: 2 },
    ],
  ],
  [
    '$arrayToObject pairs',
    {
      $arrayToObject: {
        $literal: [
          ['x', 1],
          ['y', 2],
        ],
      },
    },
    {},
    { x: 1, y: 2 },
  ],
  ['$arrayToObject entries', { $arrayToObject: '$a' }, { a: [{ k: 'x', v: 1 }] }, { x: 1 }],
  [
    '$sortArray by field',
    { $sortArray: { input: '$a', sortBy: { n: -1 } } },
    { a: [{ n: 1 }, { n: 3 }, { n: 2 }] },
    [{ n: 3 }, { n: 2 }, { n: 1 }],
  ],
  [
    '$sortArray by value',
    { $sortArray: { input: [3, 1, 'a', null], sortBy: 1 } },
    {},
    [null, 1, 3, 'a'],
  ],
  ['$firstN', { $firstN: { n: 2, input: [1, 2, 3] } }, {}, [1, 2]],
  ['$lastN', { $lastN: { n: 2, input: [1, 2, 3] } }, {}, [2, 3]],
  ['$maxN', { $maxN: { n: 2, input: [1, 5, 3, null] } }, {}, [5, 3]],
  ['$minN', { $minN: { n: 2, input: [1, 5, 3, null] } }, {}, [1, 3]],
  [
    '$setUnion',
    {
      $setUnion: [
        ['a', 'b'],
        ['b', 'c'],
      ],
    },
    {},
    ['a', 'b', 'c'],
  ],
  [
    '$setIntersection',
    {
      $setIntersection: [
        [1, 2, 3],
        [new Double(2), 3],
      ],
    },
    {},
    [2, 3],
  ],
  ['$setDifference', { $setDifference: [[1, 2], [2]] }, {}, [1]],
  [
    '$setEquals',
    {
      $setEquals: [
        [1, 2, 1],
        [2, 1],
      ],
    },
    {},
    true,
  ],
  ['$setIsSubset', { $setIsSubset: [[1], [1, 2]] }, {}, true],
  ['$allElementsTrue', { $allElementsTrue: [[1, 0]] }, {}, false],
  ['$anyElementTrue', { $anyElementTrue: [[1, 0]] }, {}, true],
];

const LOGIC: readonly Row[] = [
  ['$and', { $and: [1, 'green'] }, {}, true],
  ['$and of nothing', { $and: [] }, {}, true],
  ['$or', { $or: [null, 0, undefined] }, {}, false],
  ['$not', { $not: [0] }, {}, true],
  ['$cmp', { $cmp: ['$a', 2] }, { a: 1 }, -1],
  ['$eq across types', { $eq: [1, 1n] }, {}, true],
  ['$gt across types', { $gt: ['a', 5] }, {}, true],
  ['$lt missing and null', { $lt: ['$x', null] }, {}, true],
  ['$cond', { $cond: [{ $gte: ['$q', 250] }, 30, 20] }, { q: 300 }, 30],
  ['$cond object', { $cond: { if: false, then: 1, else: 2 } }, {}, 2],
  ['$ifNull', { $ifNull: ['$a', '$b', 'z'] }, { b: null }, 'z'],
  [
    '$switch',
    { $switch: { branches: [{ case: { $eq: ['$a', 1] }, then: 'one' }], default: 'other' } },
    { a: 2 },
    'other',
  ],
];

const STRINGS: readonly Row[] = [
  ['$concat', { $concat: ['a', '-', '$b'] }, { b: 'c' }, 'a-c'],
  ['$concat null', { $concat: ['a', null] }, {}, null],
  ['$indexOfBytes', { $indexOfBytes: ['cafeteria', 'e'] }, {}, 3],
  ['$indexOfBytes accent', { $indexOfBytes: ['cafétéria', 't'] }, {}, 5],
  ['$indexOfCP', { $indexOfCP: ['cafétéria', 't'] }, {}, 4],
  ['$indexOfCP from', { $indexOfCP: ['vanilla', 'll', 0, 2] }, {}, -1],
  ['$split', { $split: ['June-15-2013', '-'] }, {}, ['June', '15', '2013']],
  ['$strLenBytes', { $strLenBytes: '寿司' }, {}, 6],
  ['$strLenCP', { $strLenCP: '寿司😀' }, {}, 3],
  ['$strcasecmp', { $strcasecmp: ['13Q1', '13q4'] }, {}, -1],
  ['$substrBytes', { $substrBytes: ['éclair', 0, 3] }, {}, 'éc'],
  ['$substrCP', { $substrCP: ['寿司sushi', 0, 3] }, {}, '寿司s'],
  ['$substr rest', { $substr: ['hello', 2, -1] }, {}, 'llo'],
  ['$toLower', { $toLower: 'É A' }, {}, 'É a'],
  ['$toUpper number', { $toUpper: 12 }, {}, '12'],
  ['$toUpper null', { $toUpper: null }, {}, ''],
  ['$trim', { $trim: { input: ' \n good  bye \t ' } }, {}, 'good  bye'],
  ['$ltrim', { $ltrim: { input: ' ggggoodbyeeeee', chars: ' gd' } }, {}, 'oodbyeeeee'],
  ['$rtrim', { $rtrim: { input: 'bye ', chars: 'e ' } }, {}, 'by'],
  [
    '$replaceOne',
    { $replaceOne: { input: 'blue blue', find: 'blue', replacement: '&' } },
    {},
    '& blue',
  ],
  [
    '$replaceAll',
    { $replaceAll: { input: 'blue blue', find: 'blue', replacement: 'red' } },
    {},
    'red red',
  ],
  ['$regexMatch', { $regexMatch: { input: 'Line ONE', regex: 'one', options: 'i' } }, {}, true],
  [
    '$regexFind',
    { $regexFind: { input: 'cafétéria', regex: 't(é)(z)?' } },
    {},
    { match: 'té', idx: 4, captures: ['é', null] },
  ],
  [
    '$regexFindAll',
    { $regexFindAll: { input: 'aXbX', regex: 'X' } },
    {},
    [
      { match: 'X', idx: 1, captures: [] },
      { match: 'X', idx: 3, captures: [] },
    ],
  ],
  ['$regexFind null', { $regexFind: { input: null, regex: 'x' } }, {}, null],
];

const D = date('2014-01-01T08:15:39.736Z');
const DATES: readonly Row[] = [
  ['$year', { $year: '$d' }, { d: D }, 2014],
  ['$month', { $month: '$d' }, { d: D }, 1],
  ['$dayOfMonth', { $dayOfMonth: ['$d'] }, { d: D }, 1],
  ['$hour', { $hour: { date: '$d' } }, { d: D }, 8],
  ['$hour in a zone', { $hour: { date: '$d', timezone: 'America/New_York' } }, { d: D }, 3],
  ['$hour in an offset', { $hour: { date: '$d', timezone: '+05:30' } }, { d: D }, 13],
  ['$minute', { $minute: '$d' }, { d: D }, 15],
  ['$second', { $second: '$d' }, { d: D }, 39],
  ['$millisecond', { $millisecond: '$d' }, { d: D }, 736],
  ['$dayOfYear', { $dayOfYear: '$d' }, { d: D }, 1],
  ['$dayOfWeek', { $dayOfWeek: '$d' }, { d: D }, 4],
  ['$week', { $week: '$d' }, { d: D }, 0],
  ['$isoWeek', { $isoWeek: date('2016-01-02T00:00:00Z') }, {}, 53],
  ['$isoWeekYear', { $isoWeekYear: date('2016-01-02T00:00:00Z') }, {}, 2015n],
  ['$isoDayOfWeek', { $isoDayOfWeek: date('2024-09-01T00:00:00Z') }, {}, 7],
  ['$year of ObjectId', { $year: new ObjectId('58c7cba47bbadf523cf2c313') }, {}, 2017],
  ['$year of null', { $year: null }, {}, null],
  [
    '$dateToString',
    { $dateToString: { format: '%Y-%m-%d %H:%M:%S:%L %j %u %V %G %z %Z %b %B %%', date: '$d' } },
    { d: D },
    '2014-01-01 08:15:39:736 001 3 01 2014 +0000 0 Jan January %',
  ],
  [
    '$dateToString default',
    { $dateToString: { date: '$d' } },
    { d: D },
    '2014-01-01T08:15:39.736Z',
  ],
  [
    '$dateToString zone',
    { $dateToString: { date: '$d', timezone: 'America/New_York', format: '%H:%M %z' } },
    { d: D },
    '03:15 -0500',
  ],
  ['$dateToString onNull', { $dateToString: { date: '$x', onNull: 'none' } }, {}, 'none'],
  [
    '$dateFromString',
    { $dateFromString: { dateString: '2017-02-08T12:10:40.787' } },
    {},
    date('2017-02-08T12:10:40.787Z'),
  ],
  [
    '$dateFromString zone',
    { $dateFromString: { dateString: '2017-02-08T12:10:40.787', timezone: 'America/New_York' } },
    {},
    date('2017-02-08T17:10:40.787Z'),
  ],
  [
    '$dateFromString day',
    { $dateFromString: { dateString: '2017-02-08' } },
    {},
    date('2017-02-08T00:00:00Z'),
  ],
  [
    '$dateFromString format',
    { $dateFromString: { dateString: '06-15-2018', format: '%m-%d-%Y' } },
    {},
    date('2018-06-15T00:00:00Z'),
  ],
  ['$dateFromString onError', { $dateFromString: { dateString: 'x', onError: 'bad' } }, {}, 'bad'],
  [
    '$dateToParts',
    { $dateToParts: { date: '$d' } },
    { d: D },
    { year: 2014, month: 1, day: 1, hour: 8, minute: 15, second: 39, millisecond: 736 },
  ],
  [
    '$dateToParts iso',
    { $dateToParts: { date: date('2017-01-01T01:29:09.123Z'), iso8601: true } },
    {},
    {
      isoWeekYear: 2016,
      isoWeek: 52,
      isoDayOfWeek: 7,
      hour: 1,
      minute: 29,
      second: 9,
      millisecond: 123,
    },
  ],
  [
    '$dateFromParts',
    { $dateFromParts: { year: 2017, month: 2, day: 8, hour: 12 } },
    {},
    date('2017-02-08T12:00:00Z'),
  ],
  [
    '$dateFromParts iso',
    { $dateFromParts: { isoWeekYear: 2017, isoWeek: 6, isoDayOfWeek: 3 } },
    {},
    date('2017-02-08T00:00:00Z'),
  ],
  [
    '$dateFromParts carry',
    { $dateFromParts: { year: 2017, month: 14, day: 1 } },
    {},
    date('2018-02-01T00:00:00Z'),
  ],
  [
    '$dateFromParts zone',
    { $dateFromParts: { year: 2016, month: 12, day: 31, hour: 23, timezone: 'America/New_York' } },
    {},
    date('2017-01-01T04:00:00Z'),
  ],
  [
    '$dateAdd',
    { $dateAdd: { startDate: date('2020-12-31T12:10:05Z'), unit: 'month', amount: 2 } },
    {},
    date('2021-02-28T12:10:05Z'),
  ],
  [
    '$dateAdd over DST',
    {
      $dateAdd: {
        startDate: date('2021-03-13T12:00:00Z'),
        unit: 'day',
        amount: 1,
        timezone: 'America/New_York',
      },
    },
    {},
    date('2021-03-14T11:00:00Z'),
  ],
  [
    '$dateSubtract',
    { $dateSubtract: { startDate: date('2021-03-31T00:00:00Z'), unit: 'quarter', amount: 1 } },
    {},
    date('2020-12-31T00:00:00Z'),
  ],
  [
    '$dateDiff days',
    {
      $dateDiff: {
        startDate: date('2021-01-01T23:59:00Z'),
        endDate: date('2021-01-02T00:01:00Z'),
        unit: 'day',
      },
    },
    {},
    1n,
  ],
  [
    '$dateDiff months',
    {
      $dateDiff: {
        startDate: date('2021-01-31T00:00:00Z'),
        endDate: date('2021-03-01T00:00:00Z'),
        unit: 'month',
      },
    },
    {},
    2n,
  ],
  [
    '$dateDiff weeks',
    {
      $dateDiff: {
        startDate: date('2021-01-01T00:00:00Z'),
        endDate: date('2021-01-04T00:00:00Z'),
        unit: 'week',
        startOfWeek: 'Monday',
      },
    },
    {},
    1n,
  ],
  [
    '$dateDiff hours backwards',
    {
      $dateDiff: {
        startDate: date('2021-01-01T02:00:00Z'),
        endDate: date('2021-01-01T00:30:00Z'),
        unit: 'hour',
      },
    },
    {},
    -2n,
  ],
  [
    '$dateTrunc week',
    { $dateTrunc: { date: date('2021-03-20T11:30:05Z'), unit: 'week', startOfWeek: 'Monday' } },
    {},
    date('2021-03-15T00:00:00Z'),
  ],
  [
    '$dateTrunc hours',
    { $dateTrunc: { date: date('2021-03-20T11:30:05Z'), unit: 'hour', binSize: 2 } },
    {},
    date('2021-03-20T10:00:00Z'),
  ],
  [
    '$dateTrunc quarter',
    { $dateTrunc: { date: date('2021-03-20T11:30:05Z'), unit: 'quarter' } },
    {},
    date('2021-01-01T00:00:00Z'),
  ],
  [
    '$dateTrunc zone',
    {
      $dateTrunc: { date: date('2021-03-20T03:00:00Z'), unit: 'day', timezone: 'America/New_York' },
    },
    {},
    date('2021-03-19T04:00:00Z'),
  ],
  ['$tsSecond', { $tsSecond: new Timestamp({ t: 100, i: 2 }) }, {}, 100n],
  ['$tsIncrement', { $tsIncrement: new Timestamp({ t: 100, i: 2 }) }, {}, 2n],
];

const TYPES: readonly Row[] = [
  ['$type', { $type: '$a' }, { a: 'x' }, 'string'],
  ['$type missing', { $type: '$b' }, { a: 'x' }, 'missing'],
  ['$toInt', { $toInt: '42' }, {}, 42],
  ['$toInt truncates', { $toInt: 5.9 }, {}, 5],
  ['$toLong', { $toLong: 5.9 }, {}, 5n],
  ['$toDouble', { $toDouble: '2.5' }, {}, 2.5],
  ['$toDecimal', { $toDecimal: 2.5 }, {}, dec('2.50000000000000')],
  ['$toString double', { $toString: 2.5 }, {}, '2.5'],
  ['$toString date', { $toString: D }, {}, '2014-01-01T08:15:39.736Z'],
  ['$toBool', { $toBool: 0 }, {}, false],
  ['$toBool text', { $toBool: 'false' }, {}, true],
  ['$toDate', { $toDate: '2018-03-03' }, {}, date('2018-03-03T00:00:00Z')],
  ['$toDate long', { $toDate: 120000000000n }, {}, new Date(120000000000)],
  [
    '$toObjectId',
    { $toObjectId: '5ab9cbfa31c2ab715d42129e' },
    {},
    new ObjectId('5ab9cbfa31c2ab715d42129e'),
  ],
  ['$convert onError', { $convert: { input: 'x', to: 'int', onError: -1 } }, {}, -1],
  ['$convert onNull', { $convert: { input: null, to: 'int', onNull: 0 } }, {}, 0],
  ['$convert by number', { $convert: { input: 1, to: 2 } }, {}, '1'],
  ['$isNumber', { $isNumber: dec('1') }, {}, true],
  [
    '$mergeObjects',
    { $mergeObjects: ['$a', { y: 2 }, null] },
    { a: { x: 1, y: 1 } },
    { x: 1, y: 2 },
  ],
  ['$getField dotted', { $getField: 'a.b' }, { 'a.b': 1 }, 1],
  ['$getField dollar', { $getField: { field: { $literal: '$p' }, input: '$$ROOT' } }, { $p: 2 }, 2],
  [
    '$setField',
    { $setField: { field: 'a.b', input: '$$ROOT', value: 3 } },
    { x: 1 },
    { x: 1, 'a.b': 3 },
  ],
  ['$unsetField', { $unsetField: { field: 'x', input: '$$ROOT' } }, { x: 1, y: 2 }, { y: 2 }],
  ['$bsonSize', { $bsonSize: '$$ROOT' }, { a: 1 }, 12],
  ['$binarySize', { $binarySize: 'é' }, {}, 2],
  ['$sum array', { $sum: '$a' }, { a: [1, 2, 'x'] }, 3],
  ['$sum args', { $sum: ['$a', 4] }, { a: [1, 2] }, 4],
  ['$sum of tenths', { $sum: [[0.1, 0.2, 0.3]] }, {}, 0.6],
  ['$avg', { $avg: [[1, 2]] }, {}, 1.5],
  ['$max', { $max: [1, 'a', null] }, {}, 'a'],
  ['$min', { $min: '$a' }, { a: [3, 1, null] }, 1],
  ['$stdDevPop', { $stdDevPop: [[2, 4, 4, 4, 5, 5, 7, 9]] }, {}, double(2)],
  ['$stdDevSamp', { $stdDevSamp: [[1]] }, {}, null],
  [
    '$percentile',
    { $percentile: { input: [1, 2, 3, 4], p: [0.5, 0.9], method: 'approximate' } },
    {},
    [double(2), double(4)],
  ],
  ['$median', { $median: { input: [4, 2, 6], method: 'approximate' } }, {}, double(4)],
];

describe.each([
  ['literals and variables', LITERALS],
  ['arithmetic', ARITHMETIC],
  ['arrays and sets', ARRAYS],
  ['logic', LOGIC],
  ['strings', STRINGS],
  ['dates', DATES],
  ['types, objects and accumulators', TYPES],
] as const)('expressions over %s', (_family, rows) => {
  it.each(rows)('evaluates %s', (_name, spec, document, expected) => {
    expect(run(spec, document)).toEqual(expected);
  });
});

type ErrorRow = readonly [spec: Plain, code: number, message: string | RegExp];
const ERRORS: readonly ErrorRow[] = [
  [{ $foo: 1 }, 168, "Unrecognized expression '$foo'"],
  ['$$foo', 17276, 'Use of undefined variable: foo'],
  ['$', 16872, "'$' by itself is not a valid FieldPath"],
  ['$a..b', 15998, 'FieldPath field names may not be empty strings.'],
  ['$a.', 40353, "FieldPath must not end with a '.'."],
  ['$a.$b', 16410, /may not start with '\$'/],
  [{ $add: 1, x: 2 }, 15983, /must have exactly one field/],
  [{ $divide: [1] }, 16020, 'Expression $divide takes exactly 2 arguments. 1 were passed in.'],
  [
    { $slice: [1] },
    28667,
    'Expression $slice takes at least 2 arguments, and at most 3, but 1 were passed in.',
  ],
  [{ $divide: [1, 0] }, 2, "can't $divide by zero"],
  [{ $add: ['a', 1] }, 14, '$add only supports numeric or date types, not string'],
  [{ $subtract: [1, 'a'] }, 14, "can't $subtract string from int"],
  [{ $concat: [1] }, 16702, '$concat only supports strings, not int'],
  [{ $size: 'a' }, 17124, 'The argument to $size must be an array, but was of type: string'],
  [{ $in: [1, 2] }, 40081, '$in requires an array as a second argument, found: int'],
  [{ $switch: { branches: [] } }, 40068, '$switch requires at least one branch'],
  [{ $year: 'x' }, 16006, "can't convert from BSON type string to Date"],
  [{ $year: { date: 1, tz: 2 } }, 40535, 'unrecognized option to $year: "tz"'],
  [
    { $hour: { date: '$$NOW', timezone: 'Nowhere' } },
    40485,
    'unrecognized time zone identifier: "Nowhere"',
  ],
  [
    { $toInt: 'abc' },
    241,
    "Failed to parse number 'abc' in $convert with no onError value: Did not consume whole string.",
  ],
  [{ $toInt: 3000000000 }, 241, /Conversion would overflow target type/],
  [{ $arrayElemAt: [1, 0] }, 28689, "$arrayElemAt's first argument must be an array, but is int"],
  [{ $dateAdd: { startDate: '$$NOW', unit: 'eon', amount: 1 } }, 9, 'unknown time unit value: eon'],
  [{ $function: { body: '', args: [], lang: 'js' } }, 9, /\$function not allowed/],
];

describe('expression errors', () => {
  it.each(ERRORS)('refuses %j with code %i', (spec, code, message) => {
    const error = errorOf(spec);
    expect(error.code).toBe(code);
    if (typeof message === 'string') expect(error.message).toBe(message);
    else expect(error.message).toMatch(message);
  });
});
