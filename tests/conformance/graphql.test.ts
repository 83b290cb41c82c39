/** GraphQL apps: graphql.md. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

describe('a definition that is undone', () => {
  // another reader of the collection may see it in between: one round would rarely show that
  const ROUNDS = 40;

  it('is never served after the refusal (graphql §3)', async () => {
    const app = `${target.baseUrl}/restheart/gql-apps/undone?wm=upsert`;
    const definition = {
      descriptor: { name: 'undone', uri: 'undone' },
      schema: 'type Query { items: [Item] } type Item { a: Int }',
      mappings: { Query: { items: { db: 'gql-undone', collection: 'items', find: {} } } },
    };
    const send = (url: string, method: string, body: object): Promise<Response> =>
      fetch(url, {
        method,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
    for (const made of ['/restheart', '/restheart/gql-apps']) {
      expect((await send(target.baseUrl + made, 'PUT', {})).status).toBeLessThan(300);
    }
    expect((await send(app, 'PUT', definition)).status).toBeLessThan(300);
    for (let round = 0; round < ROUNDS; round += 1) {
      expect((await send(app, 'PATCH', { mappings: {} })).status).toBe(400);
      const query = await send(`${target.baseUrl}/graphql/undone`, 'POST', {
        query: '{ items { a } }',
      });
      expect(query.status, `round ${round}: ${await query.text()}`).toBe(200);
    }
  });
});
