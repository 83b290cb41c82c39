/** One finding of the JSON Schema validator, with the texts of the reference's validator library. */
export interface Violation {
  /** Pieces of the JSON pointer to the value at fault, from the root; empty for the root. */
  readonly pointer: readonly string[];
  readonly text: string;
  /** What the finding sums up: failed alternatives, or several findings in one object. */
  readonly causes: readonly Violation[];
}

/** A finding at the value under inspection. */
export function violation(text: string, causes: readonly Violation[] = []): Violation {
  return { pointer: [], text, causes };
}

/** The same finding seen from the object or array that holds the value at fault. */
export function prepend(piece: string, inner: Violation): Violation {
  return {
    pointer: [piece, ...inner.pointer],
    text: inner.text,
    causes: inner.causes.map((cause) => prepend(piece, cause)),
  };
}

/** Several findings about one value become one that counts them; a single one stands for itself. */
export function summarize(findings: readonly Violation[]): Violation | undefined {
  if (findings.length < 2) return findings[0];
  return violation(`${countLeaves(findings)} schema violations found`, findings);
}

function countLeaves(findings: readonly Violation[]): number {
  return findings.reduce((sum, one) => sum + Math.max(1, countLeaves(one.causes)), 0);
}

/** `#/path/to: text`, the pointer escaped as RFC 6901 says. */
export function formatViolation(finding: Violation): string {
  const pieces = finding.pointer.map(
    (piece) => `/${piece.replaceAll('~', '~0').replaceAll('/', '~1')}`,
  );
  return `#${pieces.join('')}: ${finding.text}`;
}

/** The finding and its direct causes, as the error texts of rest-resources.md §4 list them. */
export function listViolations(finding: Violation): string[] {
  return [finding, ...finding.causes].map(formatViolation);
}
