/** Index definitions, right and wrong ones, without collations: SecantusDB has none. */
import fc from 'fast-check';
import {
  arbitraryFilter,
  arbitraryLeaf,
  arbitraryPath,
  type DriverDocument,
} from './arbitrary-query.ts';

export interface IndexCase {
  readonly spec: DriverDocument;
  /** What is asked of the index by hint. */
  readonly filter: DriverDocument;
}

const key = fc
  .uniqueArray(
    fc.tuple(
      arbitraryPath,
      fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom(1, -1) },
        { weight: 1, arbitrary: fc.constantFrom('hashed', 0, 'text2', true) },
      ),
    ),
    { minLength: 1, maxLength: 3, selector: ([path]) => path },
  )
  .map((parts) => Object.fromEntries(parts));
const partial = fc.oneof(
  fc.tuple(arbitraryPath, arbitraryLeaf).map(([path, value]) => ({ [path]: { $gte: value } })),
  fc.tuple(arbitraryPath).map(([path]) => ({ [path]: { $exists: true } })),
  fc
    .tuple(arbitraryPath, fc.constantFrom('string', 'int'))
    .map(([path, $type]) => ({ [path]: { $type } })),
  fc.constantFrom<DriverDocument>({ a: { $ne: 1 } }, { $nor: [{ a: 1 }] }),
);
/** One option most often: most pairs are refused. */
const options = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.record({ unique: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ sparse: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ unique: fc.constant(true), sparse: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ partialFilterExpression: partial }) },
  { weight: 1, arbitrary: fc.record({ unique: fc.boolean(), partialFilterExpression: partial }) },
  { weight: 1, arbitrary: fc.record({ sparse: fc.boolean(), partialFilterExpression: partial }) },
  { weight: 1, arbitrary: fc.record({ expireAfterSeconds: fc.constantFrom(3600, 0, -1) }) },
  { weight: 1, arbitrary: fc.record({ hidden: fc.boolean() }) },
);

export const arbitraryIndex: fc.Arbitrary<IndexCase> = fc
  .tuple(
    key,
    fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 3, arbitrary: options }),
    arbitraryFilter,
  )
  .map(([pattern, more, filter]) => ({ spec: { key: pattern, name: 'tried', ...more }, filter }));
