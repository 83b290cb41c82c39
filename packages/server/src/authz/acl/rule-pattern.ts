/**
 * Regular expressions of rules meet texts of clients: they run in time linear in the text (decision 7). Expressions with
 * look-around or back-references, which no linear engine has, run under a clock.
 */
import { createContext, Script } from 'node:vm';
import { RE2JS } from 're2js';

/** The groups, the whole match first; null without a match. */
export type PatternMatch = (text: string) => readonly (string | undefined)[] | null;

/** A predicate has no answer: the rule does not apply, whatever stands around the predicate. */
export class UndecidedPredicate extends Error {}

const TIME_LIMIT_MS = 50;
const MAX_ATTEMPTS = 4;

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
  const context = createContext({ expression, text: '' });
  const script = new Script('expression.exec(text)');
  return (text) => {
    context['text'] = text;
    for (let attempt = 1; ; attempt += 1) {
      const before = process.cpuUsage();
      try {
        return script.runInContext(context, { timeout: TIME_LIMIT_MS }) as RegExpExecArray | null;
      } catch (cause) {
        if (attempt < MAX_ATTEMPTS && isOutOfTime(cause) && !hasWorked(before)) continue;
        throw new UndecidedPredicate(`${String(expression)} takes too long`, { cause });
      }
    }
  };
}

function isOutOfTime(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}

/** The clock runs on while a busy machine lets the process wait: that says nothing of the expression. */
function hasWorked(before: NodeJS.CpuUsage): boolean {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 > TIME_LIMIT_MS / 2;
}
