import { describe, expect, it } from 'vitest';
import { splitPath } from './mounts.ts';
import { checkNames, isReservedId } from './resource-names.ts';
import { toResourceType } from './resource-type.ts';

function messageOf(path: string): string | undefined {
  const tokens = splitPath(path);
  const error = checkNames({ type: toResourceType(tokens), tokens });
  return error && `${error.status} ${error.message.split(',')[0]}`;
}

describe('checkNames', () => {
  it.each([
    ['/db', undefined],
    ['/', undefined],
    ['/_size', undefined],
    ['/a.b', '400 illegal database name'],
    ['/a%20b', '400 illegal database name'],
    ['/a%00b', '400 illegal database name'],
    ['/a$b/c', '400 illegal database name'],
    ['/a%22b', '400 illegal database name'],
    ['/a%5Cb', '400 illegal database name'],
    ['/a%2Fb', '400 illegal database name'],
    [`/${'d'.repeat(64)}`, undefined],
    [`/${'d'.repeat(65)}`, '400 illegal database name'],
    ['//db//coll', '400 illegal database name'],
    ['/system.x', '400 illegal database name'],
    ['/db/a$b', '400 illegal collection name'],
    ['/db/a%00b', '400 illegal collection name'],
    ['/a.b/a$b', '400 illegal database name'],
    ['/admin', '403 reserved resource'],
    ['/Config/c', '403 reserved resource'],
    ['/local/_size', '403 reserved resource'],
    ['/db/system.users', '403 reserved resource'],
    ['/db/b.chunks', '403 reserved resource'],
    ['/db/_properties/x', '403 reserved resource'],
    ['/db//x', '403 reserved resource'],
    ['/_sessions/s/_txns/abc', '400 illegal txnId: it must be a number'],
    ['/_sessions/s/_txns/12', undefined],
  ])('%s gives %s', (path, expected) => {
    expect(messageOf(path)).toBe(expected);
  });

  it('knows the ids of properties in any case', () => {
    expect(['_properties', '_PROPERTIES', '_Properties.c'].every(isReservedId)).toBe(true);
    expect(['_propertiesx', 'x_properties', 5, null].some(isReservedId)).toBe(false);
  });
});
