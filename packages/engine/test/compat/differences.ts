/**
 * Where SecantusDB is known to answer otherwise than MongoDB, each with the page of MongoDB's manual
 * that decides for the engine. Only a case that fits an entry may differ.
 */
import type { Answer } from './case-runner.ts';

/** One generated case with both answers. */
export interface Compared {
  readonly kind: string;
  /** Extended JSON of what was asked. */
  readonly text: string;
  readonly engine: Answer;
  readonly second: Answer;
}

export interface Difference {
  readonly what: string;
  readonly page: string;
  applies(compared: Compared): boolean;
}

const MANUAL = 'https://www.mongodb.com/docs/manual';
const isError = (answer: Answer): boolean => answer.startsWith('error');

/** A path with a number that ends an array: `{ "a.1": null }`. */
const NUMBERED_PATH = /"[a-z](\.[a-z])*\.\d(\.[a-z])*":/;

/** Doubles to twelve digits, and decimals without the zeros at their end. */
export function roundNumbers(answer: Answer): Answer {
  return answer
    .replaceAll(/"\$numberDouble":"(-?[\d.]+(?:E[-+]?\d+)?)"/gi, (_, digits: string) => {
      return `"$numberDouble":"${Number(Number(digits).toPrecision(12))}"`;
    })
    .replaceAll(/"\$numberDecimal":"(-?\d+\.\d*?)0*"/g, (_, digits: string) => {
      return `"$numberDecimal":"${digits.replace(/\.$/, '')}"`;
    })
    .replaceAll(/"\$numberDecimal":"-?0E[-+]\d+"/g, '"$numberDecimal":"0"');
}

/** The members of each document in the order of their names. */
function sortedFields(answer: Answer): string {
  if (isError(answer) || answer === 'none') return answer;
  const sort = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sort);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([name, member]) => [name, sort(member)] as const);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  return JSON.stringify(sort(JSON.parse(answer)));
}

/** Numbers without their types. */
const withoutTypes = (answer: Answer): string =>
  roundNumbers(answer).replaceAll(
    /\{"\$number(?:Int|Long|Double|Decimal)":"(-?\d+)(?:\.0)?"\}/g,
    '$1',
  );
const missingAsNull = (answer: Answer): string =>
  answer.replaceAll(/"(missing|object)"/g, '"null"');

export const DIFFERENCES: readonly Difference[] = [
  {
    what: 'digits of a double, and zeros at the end of a decimal made of one',
    page: `${MANUAL}/reference/operator/aggregation/toDecimal/`,
    applies: ({ engine, second }) => roundNumbers(engine) === roundNumbers(second),
  },
  {
    what: 'SecantusDB fails by an error of its own (InternalError, or what it has not got)',
    page: `${MANUAL}/reference/error-codes/`,
    applies: ({ second }) => /^error (1|168|28689|34468)$/.test(second),
  },
  {
    what: '$all is an $and of its elements: null finds missing fields, [] an empty array',
    page: `${MANUAL}/reference/operator/query/all/`,
    applies: ({ text }) => text.includes('"$all":['),
  },
  {
    what: '$elemMatch takes $and, $or and $nor, and looks into arrays as into documents',
    page: `${MANUAL}/reference/operator/query/elemMatch/`,
    applies: ({ text }) => text.includes('"$elemMatch":'),
  },
  {
    what: 'an element that an array does not have is no null',
    page: `${MANUAL}/tutorial/query-arrays/`,
    applies: ({ kind, text }) => kind !== 'updates' && NUMBERED_PATH.test(text),
  },
  {
    what: 'two arrays cannot be sorted by at once',
    page: `${MANUAL}/reference/method/cursor.sort/`,
    applies: ({ kind, text, engine }) =>
      engine === 'error 2' &&
      (kind === 'sorts' || (kind === 'pipelines' && text.includes('"$sort"'))),
  },
  {
    what: 'new fields come in the order of their names',
    page: `${MANUAL}/reference/operator/update/`,
    applies: ({ kind, engine, second }) =>
      kind === 'updates' && sortedFields(engine) === sortedFields(second),
  },
  {
    what: 'a path that a scalar bars cannot be made',
    page: `${MANUAL}/reference/operator/update-field/`,
    applies: ({ kind, engine }) => kind === 'updates' && engine === 'error 28',
  },
  {
    what: '$[] and $[element] need an array; the source of $rename is no such path',
    page: `${MANUAL}/reference/operator/update/positional-all/`,
    applies: ({ kind, text, engine }) =>
      kind === 'updates' && engine === 'error 2' && /\.\$(\[|"|\.)/.test(text),
  },
  {
    what: '$[element] makes what is missing below the element',
    page: `${MANUAL}/reference/operator/update/positional-filtered/`,
    applies: ({ kind, text }) => kind === 'updates' && text.includes('.$[element].'),
  },
  {
    what: 'two operators do not change one element',
    page: `${MANUAL}/reference/operator/update/`,
    applies: ({ kind, engine }) => kind === 'updates' && engine === 'error 40',
  },
  {
    what: 'an upsert takes no field from a filter that gives it twice',
    page: `${MANUAL}/reference/method/db.collection.updateOne/`,
    applies: ({ kind, engine }) => kind === 'updates' && engine === 'error 54',
  },
  {
    what: '$rename does nothing without its field, and takes no element of an array',
    page: `${MANUAL}/reference/operator/update/rename/`,
    applies: ({ kind, text }) => kind === 'updates' && text.includes('"$rename"'),
  },
  {
    what: '$bit of a long gives a long',
    page: `${MANUAL}/reference/operator/update/bit/`,
    applies: ({ kind, text, engine, second }) =>
      kind === 'updates' &&
      text.includes('"$bit"') &&
      engine.replaceAll('$numberLong', '$numberInt') ===
        second.replaceAll('$numberLong', '$numberInt'),
  },
  {
    what: '$bit makes the field that is not there, below an element too',
    page: `${MANUAL}/reference/operator/update/bit/`,
    applies: ({ kind, text }) => kind === 'updates' && /"\$bit":\{"[a-z]\.\$/.test(text),
  },
  {
    what: '$push sorts elements without the field as equal, and leaves their order',
    page: `${MANUAL}/reference/operator/update/sort/`,
    applies: ({ kind, text }) => kind === 'updates' && text.includes('"$sort":{'),
  },
  {
    what: 'a field path through an array gives the array of what it finds, an empty one too',
    page: `${MANUAL}/core/field-paths/`,
    applies: ({ kind, text }) => kind === 'updates' && text.includes('"update":[{"$set"'),
  },
  {
    what: '$isoWeekYear gives a long',
    page: `${MANUAL}/reference/operator/aggregation/isoWeekYear/`,
    applies: ({ text, engine, second }) =>
      text.includes('"$isoWeekYear"') && withoutTypes(engine) === withoutTypes(second),
  },
  {
    what: '$minN and $maxN take equal numbers of different types in any order',
    page: `${MANUAL}/reference/operator/aggregation/minN/`,
    applies: ({ text, engine, second }) =>
      /"\$(min|max)N"/.test(text) && withoutTypes(engine) === withoutTypes(second),
  },
  {
    what: 'what is missing is of the type "missing" and no null',
    page: `${MANUAL}/reference/operator/aggregation/type/`,
    applies: ({ text, engine, second }) =>
      text.includes('"$type"') && missingAsNull(engine) === missingAsNull(second),
  },
  {
    what: 'the first element of an empty array is missing, and no null',
    page: `${MANUAL}/reference/operator/aggregation/first/`,
    applies: ({ text }) => /"\$(first|last)":/.test(text),
  },
  {
    what: 'what is missing is not among elements that are null',
    page: `${MANUAL}/reference/operator/aggregation/in/`,
    applies: ({ kind, text }) =>
      (kind === 'expressions' || kind === 'pipelines') && text.includes('"$in":['),
  },
  {
    what: 'an empty array is a group of its own, and sorts before null',
    page: `${MANUAL}/reference/bson-type-comparison-order/`,
    applies: ({ kind, engine }) => kind === 'pipelines' && /"_id":\[\]/.test(engine),
  },
  {
    what: 'a stage may not be run for documents and fields that no later stage asks for',
    page: `${MANUAL}/core/aggregation-pipeline-optimization/`,
    applies: ({ kind, text, engine, second }) =>
      kind === 'pipelines' &&
      isError(second) &&
      !isError(engine) &&
      /"\$(match|project|unset|count|limit|group|sortByCount)"/.test(text),
  },
  {
    what: 'what is missing is null to $toBool, and so no truth',
    page: `${MANUAL}/reference/operator/aggregation/toBool/`,
    applies: ({ kind, text }) => kind === 'expressions' && text.includes('"$toBool"'),
  },
  {
    what: '$count of no document gives no document',
    page: `${MANUAL}/reference/operator/aggregation/count/`,
    applies: ({ kind, text, engine }) =>
      kind === 'pipelines' && text.includes('{"$count":"n"}') && engine === '[]',
  },
  {
    what: 'an index that the manual refuses: TTL or hashed on several fields, sparse and partial at once, a direction that is none',
    page: `${MANUAL}/reference/command/createIndexes/`,
    applies: ({ kind, engine }) => kind === 'index definitions' && engine === 'error 67',
  },
  {
    what: 'a hashed index may be of a path in documents, and part of a compound one',
    page: `${MANUAL}/core/indexes/index-types/index-hashed/`,
    applies: ({ kind, text, second }) =>
      kind === 'index definitions' && text.includes('"hashed"') && isError(second),
  },
  {
    what: 'two arrays cannot be in one compound index',
    page: `${MANUAL}/core/indexes/index-types/index-multikey/`,
    applies: ({ kind, engine }) => kind === 'index definitions' && engine.includes('error 171'),
  },
];

/** Refusals count as one answer: the manual has no list of the numbers of expressions' errors. */
export function isSame({ engine, second }: Pick<Compared, 'engine' | 'second'>): boolean {
  return engine === second || (isError(engine) && isError(second));
}
