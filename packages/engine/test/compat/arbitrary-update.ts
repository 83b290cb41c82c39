/** Updates of one document. */
import { Int32 } from 'bson';
import fc from 'fast-check';
import {
  arbitraryDocument,
  arbitraryNumber,
  arbitraryOperators,
  arbitraryPath,
  arbitraryValue,
  type DriverDocument,
  type DriverValue,
} from './arbitrary-query.ts';

export interface UpdateCase {
  readonly document: DriverDocument;
  readonly update: DriverDocument | DriverDocument[];
  readonly upsert: boolean;
  /** Beside the `_id`, which makes a missing document for upserts. */
  readonly filter: DriverDocument;
  readonly arrayFilters: DriverDocument[] | undefined;
}

const top = fc.constantFrom('a', 'b', 'c');
const changed = fc.oneof(
  { weight: 6, arbitrary: arbitraryPath },
  { weight: 1, arbitrary: fc.constantFrom('a.$[]', 'b.$[].a', 'a.2', 'b.5', 'c.a.0') },
);

function one(name: string, operand: fc.Arbitrary<DriverValue>): fc.Arbitrary<DriverDocument> {
  return fc.tuple(changed, operand).map(([path, value]) => ({ [name]: { [path]: value } }));
}

const arbitraryPush = fc
  .tuple(
    fc.array(arbitraryValue, { maxLength: 3 }),
    fc.option(fc.integer({ min: -3, max: 3 })),
    fc.option(fc.integer({ min: -3, max: 3 })),
    fc.option(fc.oneof(fc.constantFrom(1, -1), fc.constantFrom({ a: 1 }, { b: -1 }))),
  )
  .map(([$each, $slice, $position, $sort]) => ({
    $each,
    ...($slice !== null && { $slice }),
    ...($position !== null && { $position }),
    ...($sort !== null && { $sort }),
  }));

const arbitraryOperator: fc.Arbitrary<DriverDocument> = fc.oneof(
  { weight: 5, arbitrary: one('$set', arbitraryValue) },
  { weight: 2, arbitrary: one('$unset', fc.constant('')) },
  { weight: 3, arbitrary: one('$inc', arbitraryNumber) },
  { weight: 2, arbitrary: one('$mul', arbitraryNumber) },
  { weight: 2, arbitrary: one('$min', arbitraryValue) },
  { weight: 2, arbitrary: one('$max', arbitraryValue) },
  { weight: 2, arbitrary: one('$rename', fc.constantFrom('a', 'b', 'c', 'd', 'a.b', 'd.e')) },
  { weight: 1, arbitrary: one('$setOnInsert', arbitraryValue) },
  { weight: 3, arbitrary: one('$push', fc.oneof(arbitraryValue, arbitraryPush)) },
  {
    weight: 2,
    arbitrary: one(
      '$addToSet',
      fc.oneof(
        arbitraryValue,
        fc.array(arbitraryValue, { maxLength: 3 }).map(($each) => ({ $each })),
      ),
    ),
  },
  { weight: 3, arbitrary: one('$pull', fc.oneof(arbitraryValue, arbitraryOperators)) },
  { weight: 1, arbitrary: one('$pullAll', fc.array(arbitraryValue, { maxLength: 3 })) },
  { weight: 1, arbitrary: one('$pop', fc.constantFrom(1, -1)) },
  {
    weight: 1,
    arbitrary: one(
      '$bit',
      fc
        .tuple(fc.constantFrom('and', 'or', 'xor'), fc.nat({ max: 7 }))
        .map(([name, mask]) => ({ [name]: new Int32(mask) })),
    ),
  },
);

function merge(parts: readonly DriverDocument[]): DriverDocument {
  const update: Record<string, DriverDocument> = {};
  for (const part of parts) {
    for (const [name, fields] of Object.entries(part)) {
      update[name] = { ...update[name], ...(fields as DriverDocument) };
    }
  }
  return update;
}

const base = { upsert: false, filter: {}, arrayFilters: undefined };
const arbitraryOperatorUpdate: fc.Arbitrary<UpdateCase> = fc
  .record({
    document: arbitraryDocument,
    update: fc.array(arbitraryOperator, { minLength: 1, maxLength: 2 }).map(merge),
  })
  .map((parts) => ({ ...base, ...parts }));
const arbitraryReplacement: fc.Arbitrary<UpdateCase> = fc
  .record({ document: arbitraryDocument, update: arbitraryDocument })
  .map((parts) => ({ ...base, ...parts }));
const arbitraryUpsert: fc.Arbitrary<UpdateCase> = fc
  .tuple(
    fc.array(arbitraryOperator, { minLength: 1, maxLength: 2 }).map(merge),
    fc.uniqueArray(fc.tuple(arbitraryPath, arbitraryValue), {
      maxLength: 2,
      selector: ([path]) => path,
    }),
  )
  .map(([update, equalities]) => ({
    document: {},
    update,
    upsert: true,
    filter: Object.fromEntries(equalities.map(([path, operand]) => [path, { $eq: operand }])),
    arrayFilters: undefined,
  }));
/** `$` and `$[element]`, on arrays that have something for them. */
const arbitraryPositional: fc.Arbitrary<UpdateCase> = fc
  .tuple(
    top,
    fc.array(arbitraryValue, { minLength: 1, maxLength: 4 }),
    arbitraryOperators,
    arbitraryOperator,
    fc.boolean(),
    fc.constantFrom('', '.a', '.b.c'),
  )
  .map(([field, list, condition, operator, byFilter, below]) => {
    const [[name, fields] = ['', {}]] = Object.entries(operator);
    const [operand] = Object.values(fields as DriverDocument);
    const path = `${field}.${byFilter ? '$' : '$[element]'}${below}`;
    return {
      document: { [field]: list },
      update: { [name]: { [path]: operand } },
      upsert: false,
      filter: byFilter ? { [field]: { $elemMatch: condition } } : {},
      arrayFilters: byFilter ? undefined : [{ element: condition }],
    };
  });
const arbitraryPipelineUpdate: fc.Arbitrary<UpdateCase> = fc
  .tuple(arbitraryDocument, fc.constantFrom('a', 'b', 'c', 'a.b', 'd'), arbitraryValue, top)
  .map(([document, path, literal, other]) => ({
    ...base,
    document,
    update: [
      { $set: { [path]: { $ifNull: [`$${other}.a`, { $literal: literal }] } } },
      { $unset: [`${other}.b`] },
    ],
  }));

export const arbitraryUpdate: fc.Arbitrary<UpdateCase> = fc.oneof(
  { weight: 12, arbitrary: arbitraryOperatorUpdate },
  { weight: 2, arbitrary: arbitraryReplacement },
  { weight: 3, arbitrary: arbitraryUpsert },
  { weight: 3, arbitrary: arbitraryPositional },
  { weight: 1, arbitrary: arbitraryPipelineUpdate },
);
