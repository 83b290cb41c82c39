import { afterAll, beforeAll, describe } from 'vitest';
import { testRows } from '../support/rows.ts';
import { openTarget, type Target } from '../support/target.ts';
import { COMBINATION_ROWS } from './combinations.rows.ts';
import { PARAMETER_ROWS } from './parameters.rows.ts';
import { READING_ROWS } from './reading.rows.ts';
import { URI_ROWS } from './uris.rows.ts';
import { WRITING_ROWS } from './writing.rows.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target.close());
const baseUrl = (): string => target.baseUrl;

describe('URIs, methods, names and ids', () => testRows(baseUrl, URI_ROWS));
describe('parameters and the order of checks', () => testRows(baseUrl, PARAMETER_ROWS));
describe('reading', () => testRows(baseUrl, READING_ROWS));
describe('writing', () => testRows(baseUrl, WRITING_ROWS));
describe('combinations', () => testRows(baseUrl, COMBINATION_ROWS));
