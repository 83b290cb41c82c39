import { describe, expect, it } from 'vitest';
import type { BsonDocument, BsonValue } from '../../../../model/bson.ts';
import { parseJson } from '../../../../representation/json-reader.ts';
import { writeJson } from '../../../../representation/json-writer.ts';
import { bindVariables } from './bind-variables.ts';
import { escapeAggregations, escapeStages, unescapeStages } from './escape-pipeline.ts';
import { DEFAULT_PIPELINE_SECURITY, findSecurityViolation } from './pipeline-security.ts';

const parse = (text: string) => parseJson(text) as BsonDocument;
const parseStages = (text: string) => parseJson(text) as BsonDocument[];
const bind = (stages: string, variables: string) =>
  writeJson(bindVariables(parseStages(stages), parse(variables)) as BsonValue);

describe('variables of pipelines', () => {
  it.each([
    ['[{$match:{n:{$var:"x"}}}]', '{x:1}', '[{"$match": {"n": 1}}]'],
    ['[{$match:{n:{$var:["x",7]}}}]', '{}', '[{"$match": {"n": 7}}]'],
    ['[{$match:{n:{$var:"a.b[1]"}}}]', '{a:{b:[1,2]}}', '[{"$match": {"n": 2}}]'],
    ['[{$match:{n:{$var:"a.b"}}}]', '{"a.b":3,a:{b:4}}', '[{"$match": {"n": 3}}]'],
    [`[{$match:{n:{$var:"a['x.y']"}}}]`, '{a:{"x.y":5}}', '[{"$match": {"n": 5}}]'],
    ['[{$match:{n:{$var:"x"}}}]', '{x:null}', '[{"$match": {"n": null}}]'],
    ['[{$ifvar:["x",{$match:{n:{$var:"x"}}}]}]', '{x:1}', '[{"$match": {"n": 1}}]'],
    ['[{$ifvar:["x",{$match:{n:1}}]}]', '{}', '[]'],
    ['[{$ifvar:[["x","y"],{$match:{n:1}},{$limit:2}]}]', '{x:1}', '[{"$limit": 2}]'],
    [
      '[{$ifvar:["opts.order",{$sort:{$var:"opts.order"}}]}]',
      '{opts:{order:{a:1}}}',
      '[{"$sort": {"a": 1}}]',
    ],
  ])('%s with %s gives %s', (stages, variables, expected) => {
    expect(bind(stages, variables)).toBe(expected);
  });

  it.each([
    ['[{$match:{n:{$var:"x"}}}]', 'variable x not bound'],
    ['[{$match:{n:{$var:1}}}]', 'invalid aggregation'],
    ['[{$match:{n:{$var:["x"]}}}]', 'invalid aggregation'],
    ['[{$ifvar:"x"}]', 'invalid aggregation'],
    ['[{$ifvar:["x"]}]', 'invalid aggregation'],
    ['[{$ifvar:[1,{$limit:1}]}]', 'invalid aggregation'],
  ])('%s is refused: %s', (stages, message) => {
    expect(() => bind(stages, '{}')).toThrow(message);
  });
});

describe('escaping of stored pipelines', () => {
  it('escapes names and texts in arrays', () => {
    const stages = parseStages('[{$group:{_id:"$a","x.y":{$concat:["$a","b"]}}}]');
    expect(writeJson(escapeStages(stages))).toBe(
      '[{"_$group": {"_id": "$a", "x::y": {"_$concat": ["_$a", "b"]}}}]',
    );
    expect(unescapeStages(escapeStages(stages))).toEqual(stages);
  });

  it('escapes inside aggrs alone', () => {
    const body = parse(
      '{d:"x","n.o":1,aggrs:[{stages:[{$match:{}}]}],$set:{"aggrs.0.stages":[{$limit:1}]}}',
    );
    expect(writeJson(escapeAggregations(body))).toBe(
      '{"d": "x", "n.o": 1, "aggrs": [{"stages": [{"_$match": {}}]}], "$set": {"aggrs.0.stages": [{"_$limit": 1}]}}',
    );
  });
});

describe('the security checker', () => {
  const find = (stages: string, change = {}) =>
    findSecurityViolation(parseStages(stages), 'db', { ...DEFAULT_PIPELINE_SECURITY, ...change });

  it.each([
    [
      '[{$match:{}},{$out:"x"}]',
      {},
      "BLACKLISTED_STAGE operator '$out' at pipeline[1] - Pipeline stage is in security blacklist",
    ],
    [
      '[{$LOOKUP:{from:"x"}}]',
      {},
      "BLACKLISTED_STAGE operator '$LOOKUP' at pipeline[0] - Pipeline stage is in security blacklist",
    ],
    [
      '[{$lookup:{from:"o.x"}}]',
      { stageBlacklist: [] },
      "CROSS_DATABASE_ACCESS operator '$lookup' at pipeline[0] - Stage references database 'o' but request is for database 'db'",
    ],
    [
      '[{$merge:{into:{db:"o",coll:"x"}}}]',
      { stageBlacklist: [] },
      "CROSS_DATABASE_OUTPUT operator '$merge' at pipeline[0] - Stage outputs to database 'o' but request is for database 'db'",
    ],
    [
      '[{$match:{$expr:{$function:{}}}}]',
      {},
      "BLACKLISTED_OPERATOR operator '$function' at pipeline[0].$match.$expr - Operator is in security blacklist",
    ],
    [
      '[{$where:"1"}]',
      {},
      "JAVASCRIPT_EXECUTION operator '$where' at pipeline[0] - JavaScript execution is disabled by security policy",
    ],
    [
      '[{$facet:{a:[{$out:"x"}]}}]',
      {},
      "BLACKLISTED_STAGE operator '$out' at pipeline[0].$facet.a[0] - Pipeline stage is in security blacklist",
    ],
  ])('%s is refused', (stages, change, text) => {
    expect(find(stages, change)).toBe(`Security violation: ${text}`);
  });

  it.each(['[{$match:{a:1}},{$group:{_id:"$a"}}]', '[{$facet:{a:[{$limit:1}]}}]'])(
    '%s passes',
    (stages) => {
      expect(find(stages)).toBeUndefined();
    },
  );

  it('can be switched off', () => {
    expect(find('[{$out:"x"}]', { enabled: false })).toBeUndefined();
  });
});
