/** How BSON types without a JSON counterpart are spelled in answers (rest-documents.md §2.3). */
export type JsonMode = 'default' | 'strict' | 'extended' | 'relaxed' | 'shell';

/** The mode a `jsonMode` query parameter names, in any case; `undefined` for unknown values. */
export function parseJsonMode(text: string): JsonMode | undefined {
  const mode = text.toLowerCase();
  switch (mode) {
    case 'strict':
    case 'extended':
    case 'relaxed':
    case 'shell':
      return mode;
    default:
      return undefined;
  }
}
