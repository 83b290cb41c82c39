import { afterAll, beforeAll, describe } from 'vitest';
import { testRows } from '../support/rows.ts';
import { openTarget, type Target } from '../support/target.ts';
import { AGGREGATION_ROWS } from './aggregations.rows.ts';
import { BEYOND_ROWS } from './beyond.rows.ts';
import { CSV_ROWS } from './csv.rows.ts';
import { FILE_ROWS } from './files.rows.ts';
import { INDEX_ROWS } from './indexes.rows.ts';
import { RELATIONSHIP_ROWS } from './relationships.rows.ts';
import { SCHEMA_ROWS } from './schemas.rows.ts';
import { SESSION_ROWS } from './sessions.rows.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target.close());
const baseUrl = (): string => target.baseUrl;

describe('indexes', () => testRows(baseUrl, INDEX_ROWS));
describe('aggregations', () => testRows(baseUrl, AGGREGATION_ROWS));
describe('schemas', () => testRows(baseUrl, SCHEMA_ROWS));
describe('relationships', () => testRows(baseUrl, RELATIONSHIP_ROWS));
describe('files', () => testRows(baseUrl, FILE_ROWS));
describe('sessions', () => testRows(baseUrl, SESSION_ROWS));
describe('CSV and small services', () => testRows(baseUrl, CSV_ROWS));
describe('beyond the reference', () => testRows(baseUrl, BEYOND_ROWS));
