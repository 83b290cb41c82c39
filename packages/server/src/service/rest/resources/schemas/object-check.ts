/** Keywords of objects (JSON Schema draft-04 §5.4), in the order in which the reference inspects them. */

import {
  type Check,
  compilePatternOf,
  limitOf,
  SchemaError,
  type SchemaScope,
  wrongType,
} from './check.ts';
import { inHashOrder, type JsonForm, type JsonObject } from './json-form.ts';
import { prepend, summarize, type Violation, violation } from './violation.ts';

interface PatternRule {
  readonly matches: (name: string) => boolean;
  readonly check: Check;
}

type Inspection = (object: JsonObject, findings: Violation[]) => void;

/** @param isRequired - false: values of other types pass */
export function compileObjectCheck(
  node: JsonObject,
  scope: SchemaScope,
  isRequired: boolean,
): Check {
  const properties = compileMembers(node, 'properties', scope);
  const patterns = [...compileMembers(node, 'patternProperties', scope)].map(
    ([source, check]): PatternRule => ({ matches: compilePatternOf(source), check }),
  );
  const dependencies = membersOf(node, 'dependencies');
  const inspections: readonly Inspection[] = [
    inspectRequired(namesIn(node.get('required'), 'required')),
    inspectSize(limitOf(node, 'minProperties'), limitOf(node, 'maxProperties')),
    inspectNameDependencies(dependencies),
    inspectAdditional(node.get('additionalProperties'), properties, patterns, scope),
    inspectPatterns(patterns),
    inspectSchemaDependencies(dependencies, scope),
    inspectProperties(properties),
  ];
  return (value) => {
    if (!(value instanceof Map)) return isRequired ? wrongType('JSONObject', value) : undefined;
    const findings: Violation[] = [];
    for (const inspect of inspections) inspect(value, findings);
    return summarize(findings);
  };
}

function membersOf(node: JsonObject, keyword: string): JsonObject {
  const members = node.get(keyword);
  if (members === undefined) return new Map();
  if (members instanceof Map) return members;
  throw new SchemaError(`${keyword} must be an object`);
}

function compileMembers(node: JsonObject, keyword: string, scope: SchemaScope): Map<string, Check> {
  const members = membersOf(node, keyword);
  const checks = new Map<string, Check>();
  for (const name of inHashOrder([...members.keys()])) {
    checks.set(name, scope.compile(members.get(name) ?? null, scope.baseUrl));
  }
  return checks;
}

function namesIn(value: JsonForm | undefined, keyword: string): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new SchemaError(`${keyword} must be an array of strings`);
  return value.filter((name) => typeof name === 'string');
}

function inspectRequired(names: readonly string[]): Inspection {
  return (object, findings) => {
    for (const name of names) {
      if (!object.has(name)) findings.push(violation(`required key [${name}] not found`));
    }
  };
}

function inspectSize(minimum: number | undefined, maximum: number | undefined): Inspection {
  return ({ size }, findings) => {
    if (minimum !== undefined && size < minimum) {
      findings.push(violation(`minimum size: [${minimum}], found: [${size}]`));
    }
    if (maximum !== undefined && size > maximum) {
      findings.push(violation(`maximum size: [${maximum}], found: [${size}]`));
    }
  };
}

function inspectNameDependencies(dependencies: JsonObject): Inspection {
  const rules = [...dependencies]
    .filter(([, rule]) => Array.isArray(rule))
    .map(([name, rule]) => ({ name, needs: namesIn(rule, 'dependencies') }));
  return (object, findings) => {
    for (const { name, needs } of rules) {
      if (!object.has(name)) continue;
      for (const needed of needs) {
        if (!object.has(needed)) findings.push(violation(`property [${needed}] is required`));
      }
    }
  };
}

function inspectAdditional(
  rule: JsonForm | undefined,
  properties: ReadonlyMap<string, Check>,
  patterns: readonly PatternRule[],
  scope: SchemaScope,
): Inspection {
  const check = rule instanceof Map ? scope.compile(rule, scope.baseUrl) : undefined;
  if (check === undefined && rule !== false) return () => undefined;
  return (object, findings) => {
    const names = [...object.keys()].filter(
      (name) => !properties.has(name) && !patterns.some((pattern) => pattern.matches(name)),
    );
    for (const name of inHashOrder(names)) {
      if (check === undefined) {
        findings.push(violation(`extraneous key [${name}] is not permitted`));
      } else {
        inspectMember(object, name, check, findings);
      }
    }
  };
}

function inspectMember(
  object: JsonObject,
  name: string,
  check: Check,
  findings: Violation[],
): void {
  const member = object.get(name);
  if (member === undefined) return;
  const failure = check(member);
  if (failure !== undefined) findings.push(prepend(name, failure));
}

function inspectPatterns(patterns: readonly PatternRule[]): Inspection {
  return (object, findings) => {
    for (const { matches, check } of patterns) {
      for (const name of object.keys()) {
        if (matches(name)) inspectMember(object, name, check, findings);
      }
    }
  };
}

function inspectSchemaDependencies(dependencies: JsonObject, scope: SchemaScope): Inspection {
  const rules = [...dependencies]
    .filter(([, rule]) => rule instanceof Map)
    .map(([name, rule]) => ({ name, check: scope.compile(rule, scope.baseUrl) }));
  return (object, findings) => {
    for (const { name, check } of rules) {
      const failure = object.has(name) ? check(object) : undefined;
      if (failure !== undefined) findings.push(failure);
    }
  };
}

function inspectProperties(properties: ReadonlyMap<string, Check>): Inspection {
  return (object, findings) => {
    for (const [name, check] of properties) inspectMember(object, name, check, findings);
  };
}
