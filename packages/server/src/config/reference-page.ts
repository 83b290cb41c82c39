import {
  IGNORED_CONNECTION_OPTIONS,
  LIST_SECTIONS,
  SECTIONS,
  type Section,
  UNAVAILABLE_SECTIONS,
} from './schema.ts';

const HEAD = `# Configuration

Made from \`packages/server/src/config/schema.ts\`; a test compares them (\`npx vitest run packages/server/src/config -u\` writes it anew).

Sources, weakest first: the defaults below; the configuration file (argument of \`quorate start\`, else \`RESTHEART_CONF_FILE\`);
the environment variables \`MONGODB_URI\`, \`PORT\`, \`HOST\`, \`QUORATE_DATA\`; the override file (\`-o\`, else \`RHO_FILE\`); the
environment variable \`RHO\`; the options \`--port\`, \`--host\`, \`--data\`, \`--mongodb-uri\`. Files are YAML 1.1.

Overrides are \`/section/key -> value\`, separated by \`;\` — \`/mongo/mongo-mounts[1]/where -> "/"\`, \`/section/list[id='a']/key -> 1\`.
A misspelled key in a section of this page, or a wrong value, stops the start; other unknown keys and sections are named in a warning.
\`quorate -c\` prints what is in force, \`quorate -t\` this table as a file to start from.
`;

const LISTS = `## static-resources and proxies

Lists at the top level; an entry that lacks what it needs is left out, with an error in the log.

| list | key of an entry | default | |
|---|---|---|---|
| \`static-resources\` | \`what\` | needed | folder |
| | \`where\` | needed | path under which everybody reads it |
| | \`welcome-file\` | \`index.html\` | file of a folder |
| | \`embedded\` | \`false\` | \`what\` is a folder that comes with Quorate |
| \`proxies\` | \`location\` | needed | path, longest first |
| | \`proxy-pass\` | needed | URL whose path takes the place of \`location\`, or several that take turns |
| | \`name\` | the location | in the log |
| | \`rewrite-host-header\` | \`true\` | the server gets its own name as \`Host\` |
| | \`soft-max-connections-per-thread\` | \`5\` | idle connections kept for each server |
| | \`connections-ttl\` | \`-1\` s | how long one is kept; -1: as long as the server says |
| | \`problem-server-retry\` | \`10\` s | how long a server that failed is asked last |
| | \`connections-per-thread\`, \`max-queue-size\` | | accepted for compatibility: there are as many connections as requests under way |
`;

/** The reference page of the configuration, as Markdown. */
export function configurationPage(): string {
  const sections = Object.entries(SECTIONS)
    .filter(([name]) => !LIST_SECTIONS.has(name))
    .map(([name, section]) => sectionPart(name, section));
  const unavailable = [...UNAVAILABLE_SECTIONS].map((name) => `\`${name}\``).join(', ');
  const ignored = [...IGNORED_CONNECTION_OPTIONS].map((name) => `\`${name}\``).join(', ');
  return [
    HEAD,
    ...sections,
    LISTS,
    '## Accepted, and named in a warning\n',
    `Sections of features that do not exist yet: ${unavailable}.\n`,
    `Keys of \`connection-options\` without an effect: ${ignored}.\n`,
  ].join('\n');
}

function sectionPart(name: string, section: Section): string {
  const rows = Object.entries(section.keys).map(([key, row]) => {
    const values = row.values === undefined ? '' : ` (${row.values.join(', ')})`;
    const unit = row.unit === undefined ? '' : ` ${row.unit}`;
    const fallback = row.fallback === null ? 'unset' : `\`${JSON.stringify(row.fallback)}\`${unit}`;
    return `| \`${key}\` | ${row.kind}${values} | ${fallback} | ${escapeCell(row.text)} |`;
  });
  const table = ['| key | type | default | |', '|---|---|---|---|', ...rows].join('\n');
  return `## ${name}\n\n${section.text}.\n\n${table}\n`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}
