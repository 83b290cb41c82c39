import { afterAll, beforeAll, describe } from 'vitest';
import { testRows } from '../support/rows.ts';
import { openTarget, type Target } from '../support/target.ts';
import { AGGREGATION_ROWS } from './aggregations.rows.ts';
import { INDEX_ROWS } from './indexes.rows.ts';
import { SCHEMA_ROWS } from './schemas.rows.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target.close());
const baseUrl = (): string => target.baseUrl;

describe('indexes', () => testRows(baseUrl, INDEX_ROWS));
describe('aggregations', () => testRows(baseUrl, AGGREGATION_ROWS));
describe('schemas', () => testRows(baseUrl, SCHEMA_ROWS));
