/** Regular expressions of schemas come from clients: they run in time linear in the text, or under a clock. */

import { runInNewContext } from 'node:vm';
import { RE2JS } from 're2js';
import { QuorateError } from '../../../../errors/quorate-error.ts';

/** True when the expression occurs somewhere in the text. */
export type PatternTest = (text: string) => boolean;

const MAX_PATTERN_CHARACTERS = 4096;
const TIME_LIMIT_MS = 100;

/** Letters, digits and simple classes with at most one quantifier each cannot backtrack badly. */
const HARMLESS =
  /^\^?(?:[\w \-@:/]|\\[dwsDWS.\-/]|\[[^\]\\[]+\]|\.)(?:[+*?]|\{\d{1,3}(?:,\d{0,3})?\})?\$?$/;
const LITERAL = /^\^?[\w \-@:/]*\$?$/;

/**
 * Compiles a pattern of a schema. Expressions with look-around or back-references, which no linear engine has,
 * run in the engine of JavaScript with a time limit.
 *
 * @throws SyntaxError when it is no regular expression at all
 */
export function compilePattern(source: string): PatternTest {
  if (source.length > MAX_PATTERN_CHARACTERS) {
    throw new SyntaxError(`pattern longer than ${MAX_PATTERN_CHARACTERS} characters`);
  }
  if (LITERAL.test(source) || HARMLESS.test(source)) {
    const expression = new RegExp(source, 'u');
    return (text) => expression.test(text);
  }
  try {
    const linear = RE2JS.compile(source);
    return (text) => linear.matcher(text).find();
  } catch {
    return compileTimed(source);
  }
}

function compileTimed(source: string): PatternTest {
  const expression = new RegExp(source, 'u');
  return (text) => {
    try {
      return (
        runInNewContext(
          'expression.test(text)',
          { expression, text },
          { timeout: TIME_LIMIT_MS },
        ) === true
      );
    } catch (cause) {
      throw new QuorateError('ERR_VALIDATION_SCHEMA', {
        status: 400,
        message: `pattern ${source} takes too long on this text`,
        cause,
      });
    }
  };
}
