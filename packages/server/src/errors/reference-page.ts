import { ERROR_CODES } from './codes.ts';

const HEAD = `# Errors

Made from \`packages/server/src/errors/codes.ts\`; a test compares them (\`npx vitest run packages/server/src/errors -u\` writes it anew).

The code is in the log and in the metrics; clients get RESTHeart's error object, \`{"http status code": …, "message": …}\`, or
\`{"msg": …}\` from services beside the REST API. A throw may use another status than the usual one, where RESTHeart answers so.
Codes without a status stop the start of the process.

| code | status | family | meaning |
|---|---|---|---|
`;

/** The reference page of the errors, as Markdown. */
export function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { status, family, title }]) =>
      `| \`${code}\` | ${status === 0 ? '–' : status} | ${family} | ${title} |`,
  );
  return `${HEAD}${rows.join('\n')}\n`;
}
