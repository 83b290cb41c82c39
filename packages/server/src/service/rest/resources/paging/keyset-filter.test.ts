import { describe, expect, it } from 'vitest';
import { Double, ObjectId } from '../../../../model/bson.ts';
import { writeJson } from '../../../../representation/json-writer.ts';
import { filtersAfter, type KeysetField } from './keyset-filter.ts';

const texts = (...fields: KeysetField[]) => filtersAfter(fields).map((filter) => writeJson(filter));

describe('filters of keyset paging', () => {
  it('asks for the rest of a type before the types beyond it', () => {
    const [own, beyond] = texts({ name: '_id', direction: -1, value: 5 });
    expect(own).toBe('{"_id": {"$lt": 5}}');
    expect(beyond).toBe('{"$or": [{"_id": {"$type": ["minKey"]}}, {"_id": null}]}');
  });

  it('goes up through all further types', () => {
    const [own, beyond] = texts({
      name: '_id',
      direction: 1,
      value: new ObjectId('507f1f77bcf86cd799439011'),
    });
    expect(own).toBe('{"_id": {"$gt": {"$oid": "507f1f77bcf86cd799439011"}}}');
    expect(beyond).toBe('{"_id": {"$type": ["bool", "date", "timestamp", "regex", "maxKey"]}}');
  });

  it('takes ties by the next field', () => {
    expect(
      texts(
        { name: 'n', direction: 1, value: new Double(1.5) },
        { name: '_id', direction: -1, value: 'x' },
      )[0],
    ).toContain('{"$and": [{"n": {"$eq": 1.5}}, {"_id": {"$lt": "x"}}]}');
  });

  it('treats missing values as null', () => {
    expect(
      texts({ name: 'n', direction: -1, value: null }, { name: '_id', direction: -1, value: 1 })[0],
    ).toContain('{"$and": [{"n": null}, {"_id": {"$lt": 1}}]}');
  });

  it('finds nothing after the last possible value', () => {
    expect(texts({ name: '_id', direction: 1, value: null }).join()).not.toContain('minKey');
  });
});
