/** GraphQL apps: graphql.md. */
import { afterAll, beforeAll, describe } from 'vitest';
import { testRows } from '../support/rows.ts';
import { openTarget, type Target } from '../support/target.ts';
import { GRAPHQL_ROWS } from './graphql.rows.ts';
import { GRAPHQL_DEFINITION_ROWS } from './graphql-definitions.rows.ts';

let target: Target;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target.close());
const baseUrl = (): string => target.baseUrl;

describe('definitions', () => testRows(baseUrl, GRAPHQL_DEFINITION_ROWS));
describe('queries', () => testRows(baseUrl, GRAPHQL_ROWS));
