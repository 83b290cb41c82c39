/**
 * Regular expressions of rules meet texts of clients: they run in time linear in the text (decision 7). Expressions with
 * look-around or back-references, which no linear engine has, run under a clock.
 */
import { runInNewContext } from 'node:vm';
import { RE2JS } from 're2js';

/** The groups, the whole match first; null without a match. */
export type PatternMatch = (text: string) => readonly (string | undefined)[] | null;

/** A predicate has no answer: the rule does not apply, whatever stands around the predicate. */
export class UndecidedPredicate extends Error {}

const TIME_LIMIT_MS = 50;

/**
 * Compiles a pattern.
 *
 * @throws SyntaxError when it is no regular expression
 */
export function compileRulePattern(
  source: string,
  options: { readonly whole: boolean; readonly caseSensitive: boolean },
): PatternMatch {
  const pattern = options.whole ? `^(?:${source})$` : source;
  // what is no expression of JavaScript's is refused first, with a message that says why
  const expression = new RegExp(pattern, options.caseSensitive ? '' : 'i');
  try {
    return linearMatch(RE2JS.compile(pattern, options.caseSensitive ? 0 : RE2JS.CASE_INSENSITIVE));
  } catch {
    return timedMatch(expression);
  }
}

function linearMatch(linear: RE2JS): PatternMatch {
  return (text) => {
    const matcher = linear.matcher(text);
    if (!matcher.find()) return null;
    const groups: (string | undefined)[] = [];
    for (let i = 0; i <= matcher.groupCount(); i += 1) groups.push(matcher.group(i) ?? undefined);
    return groups;
  };
}

function timedMatch(expression: RegExp): PatternMatch {
  return (text) => {
    try {
      return runInNewContext(
        'expression.exec(text)',
        { expression, text },
        { timeout: TIME_LIMIT_MS },
      ) as RegExpExecArray | null;
    } catch (cause) {
      throw new UndecidedPredicate(`${String(expression)} takes too long`, { cause });
    }
  };
}
