import { describe, expect, it } from 'vitest';
import type { BsonValue } from '../../model/bson.ts';
import { writeJson } from '../../representation/json-writer.ts';
import { type CsvOptions, parseCsv } from './parse-csv.ts';

const rows = (text: string, change: Partial<CsvOptions> = {}) =>
  writeJson([
    ...parseCsv(text, { separator: ',', idColumn: undefined, additions: new Map(), ...change }),
  ] as BsonValue);

describe('CSV rows', () => {
  it.each([
    ['a,b\n1,x', {}, '[{"a": 1, "b": "x"}]'],
    ['a,b\r\n"x,y",true\r\n', {}, '[{"a": "x,y", "b": true}]'],
    ['a\n{"k":1}', {}, '[{"a": {"k": 1}}]'],
    ['a\n1,2,3', {}, '[{"a": 1, "unnamed_0": 2, "unnamed_1": 3}]'],
    ['id,n\n7,x', { idColumn: 0 }, '[{"_id": 7, "n": "x"}]'],
    ['a;b\n1;2', { separator: ';' }, '[{"a": 1, "b": 2}]'],
    ['a b\n1   2', { separator: ' +' }, '[{"a": 1, "b": 2}]'],
    ['a|b\n1|2', { separator: '\\|' }, '[{"a": 1, "b": 2}]'],
    ['a,b\n,2020-01-01', {}, '[{"a": "", "b": "2020-01-01"}]'],
    ['a\n1', { additions: new Map([['p', 2]]) }, '[{"a": 1, "p": 2}]'],
    ['a,b', {}, '[]'],
  ])('%j', (text, change, expected) => {
    expect(rows(text, change)).toBe(expected);
  });
});
