/** Rows about GraphQL apps: an app over the row's own collection, and a query. */
import type { Row } from './rows.ts';

/** An app definition as JSON; `{db}` and `{c}` are those of the row, `{c}` is also the app's URI. */
export interface AppText {
  readonly schema: string;
  readonly mappings: unknown;
  readonly descriptor?: unknown;
}

export const MAKE_APPS = ['PUT /restheart', 'PUT /restheart/gql-apps'];

/** The requests that put documents and an app in place. */
export function givenApp(app: AppText, documents: readonly unknown[] = []): string[] {
  return [
    ...MAKE_APPS,
    ...(documents.length === 0 ? [] : [`POST /{db}/{c} ${JSON.stringify(documents)}`]),
    `POST /restheart/gql-apps?wm=upsert ${JSON.stringify({ _id: '{c}', ...app })}`,
  ];
}

/** The row that sends a query. */
export function queryRow(
  name: string,
  chapter: string,
  given: readonly string[],
  query: string | object,
  answer: Partial<Row>,
): Row {
  return {
    name,
    chapter: `graphql §${chapter}`,
    given,
    request: 'POST /graphql/{c}',
    content: JSON.stringify(typeof query === 'string' ? { query } : query),
    headers: { 'Content-Type': 'application/json' },
    status: 200,
    ...answer,
  };
}
