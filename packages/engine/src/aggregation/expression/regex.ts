/** `$regexMatch`, `$regexFind`, `$regexFindAll`. */
import { BSONRegExp, type Document, type Value } from '../../bson/value.ts';
import { compileRegex } from '../../query/regex.ts';
import { locationError } from '../aggregation-error.ts';
import {
  type Expression,
  fromParts,
  type OperatorCompiler,
  type OperatorTable,
  readNamedArguments,
} from './operator.ts';
import { isNullish, typeName } from './value-kind.ts';

interface Search {
  readonly input: string;
  readonly regex: RegExp;
}

function regexOperator(apply: (search: Search) => Value, whenNull: () => Value): OperatorCompiler {
  return (argument, scope, name) => {
    const given = readNamedArguments(argument, name, {
      required: ['input', 'regex'],
      optional: ['options'],
      notAnObject: (_name, value) =>
        locationError(
          51103,
          `${name} expects an object of named arguments but found: ${typeName(value)}`,
        ),
      unknown: (_name, field) =>
        locationError(31024, `${name} found an unknown argument: ${field}`),
      missing: (_name, field) =>
        locationError(field === 'input' ? 31022 : 31023, `${name} requires '${field}' parameter`),
    });
    const input = scope.compile(given.get('input') as Value);
    const regex = scope.compile(given.get('regex') as Value);
    const optionsSpec = given.get('options');
    const options = optionsSpec === undefined ? undefined : scope.compile(optionsSpec);
    const parts: Expression[] = options === undefined ? [input, regex] : [input, regex, options];
    const compiled = new PatternCache(name);
    return fromParts(parts, (root, variables) => {
      const text = input.evaluate(root, variables);
      const pattern = compiled.get(
        regex.evaluate(root, variables),
        options?.evaluate(root, variables),
      );
      if (!isNullish(text) && typeof text !== 'string') {
        throw locationError(51104, `${name} needs 'input' to be of type string`);
      }
      if (typeof text !== 'string' || pattern === undefined) return whenNull();
      return apply({ input: text, regex: pattern });
    });
  };
}

/** Remembers the last pattern, as most expressions have a constant one. */
class PatternCache {
  private readonly operator: string;
  private key: string | undefined;
  private regex: RegExp | undefined;

  constructor(operator: string) {
    this.operator = operator;
  }

  get(regex: Value | undefined, options: Value | undefined): RegExp | undefined {
    const { operator } = this;
    if (!isNullish(options) && typeof options !== 'string') {
      throw locationError(51106, `${operator} needs 'options' to be of type string`);
    }
    if (isNullish(regex)) return undefined;
    let flags = typeof options === 'string' ? options : '';
    let pattern: string;
    if (regex instanceof BSONRegExp) {
      if (regex.options !== '' && flags !== '') {
        throw locationError(
          51107,
          `${operator}: found regex option(s) specified in both 'regex' and 'option' fields`,
        );
      }
      pattern = regex.pattern;
      flags = flags === '' ? regex.options : flags;
    } else if (typeof regex === 'string') {
      pattern = regex;
    } else {
      throw locationError(51105, `${operator} needs 'regex' to be of type string or regex`);
    }
    const key = `${flags}/${pattern}`;
    if (this.key !== key || this.regex === undefined) {
      this.regex = this.compile(pattern, flags);
      this.key = key;
    }
    return this.regex;
  }

  private compile(pattern: string, flags: string): RegExp {
    const { operator } = this;
    if (pattern.includes('\0')) {
      throw locationError(
        51109,
        `${operator}: regular expression cannot contain an embedded null byte`,
      );
    }
    const bad = /[^imsxu]/.exec(flags);
    if (bad !== null) {
      throw locationError(51108, `${operator} invalid flag in regex options: ${bad[0]}`);
    }
    try {
      const { regExp } = compileRegex(pattern, flags);
      return new RegExp(regExp.source, `${regExp.flags}g`);
    } catch (error) {
      throw locationError(
        51111,
        `Invalid Regex in ${operator}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}

function toMatch(match: RegExpExecArray, index: number): Document {
  return new Map<string, Value>([
    ['match', match[0]],
    ['idx', index],
    ['captures', match.slice(1).map((capture) => capture ?? null)],
  ]);
}

/** Code points, as MongoDB counts `idx`; the same as units where there is no surrogate. */
function countCodePoints(text: string): number {
  return /[\ud800-\udbff]/.test(text) ? [...text].length : text.length;
}

function find({ input, regex }: Search): Value {
  regex.lastIndex = 0;
  const match = regex.exec(input);
  return match === null ? null : toMatch(match, countCodePoints(input.slice(0, match.index)));
}

function findAll({ input, regex }: Search): Value {
  const found: Value[] = [];
  for (const match of input.matchAll(regex)) {
    found.push(toMatch(match, countCodePoints(input.slice(0, match.index))));
  }
  return found;
}

export const regexOperators: OperatorTable = {
  $regexFind: regexOperator(find, () => null),
  $regexFindAll: regexOperator(findAll, () => []),
  $regexMatch: regexOperator(
    ({ input, regex }) => {
      regex.lastIndex = 0;
      return regex.test(input);
    },
    () => false,
  ),
};
