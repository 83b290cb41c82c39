/** Path templates such as `/*` or `/{tenant}/docs/*` (operations.md §5). */
export interface PathTemplate {
  readonly text: string;
  /** The variables of a path that matches, in the order of the template; undefined when it does not. */
  match(path: string): readonly (readonly [string, string])[] | undefined;
}

const NO_VARIABLES: readonly (readonly [string, string])[] = [];

/** `{name}` takes one segment; a closing `*` takes the rest, also an empty one. */
export function parsePathTemplate(text: string): PathTemplate {
  const segments = text.split('/').slice(1);
  const takesRest = segments.at(-1) === '*';
  const fixed = takesRest ? segments.slice(0, -1) : segments;
  // the usual template matches every path, and needs no look at it
  if (takesRest && fixed.length === 0) return { text, match: () => NO_VARIABLES };
  const firstVariable = fixed.findIndex((segment) => segment.startsWith('{'));
  const literal = firstVariable === -1 ? fixed : fixed.slice(0, firstVariable);
  const start = `/${literal.join('/')}`;
  return {
    text,
    // most paths differ at once from most templates
    match: (path) => (path.startsWith(start) ? matchSegments(fixed, takesRest, path) : undefined),
  };
}

function matchSegments(
  fixed: readonly string[],
  takesRest: boolean,
  path: string,
): readonly (readonly [string, string])[] | undefined {
  const parts = path.split('/').slice(1);
  if (takesRest ? parts.length < fixed.length : parts.length !== fixed.length) return undefined;
  const variables: [string, string][] = [];
  for (const [index, segment] of fixed.entries()) {
    const part = parts[index] ?? '';
    if (segment.startsWith('{') && segment.endsWith('}')) {
      if (part === '') return undefined;
      variables.push([segment.slice(1, -1), part]);
    } else if (segment !== part) return undefined;
  }
  return variables;
}
