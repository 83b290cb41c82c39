/**
 * `$jsonSchema`: MongoDB's part of JSON Schema draft 4 (manual, "$jsonSchema"), and the details of
 * a failed validation in the form MongoDB gives them in `errInfo`.
 */
import { typeName } from '../bson/types.ts';
import type { Document, Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import {
  additionalItemsRule,
  itemCountRule,
  itemsRule,
  uniqueItemsRule,
} from './schema/array-rules.ts';
import {
  additionalPropertiesRule,
  dependenciesRule,
  patternPropertiesRule,
  propertiesRule,
  propertyCountRule,
  requiredRule,
} from './schema/object-rules.ts';
import {
  details,
  failedToParse,
  type ParseSchema,
  type Schema,
  type SchemaRule,
  typeMismatch,
} from './schema/rule.ts';
import {
  boundRule,
  enumRule,
  lengthRule,
  multipleOfRule,
  patternRule,
  typeRule,
} from './schema/scalar-rules.ts';

/** The order in which MongoDB checks, and so reports, the keywords. */
const KEYWORD_ORDER: readonly string[] = [
  'multipleOf',
  'maximum',
  'minimum',
  'maxLength',
  'minLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'items',
  'additionalItems',
  'properties',
  'patternProperties',
  'additionalProperties',
  'required',
  'minProperties',
  'maxProperties',
  'dependencies',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'enum',
  'type',
  'bsonType',
];

const UNSUPPORTED: ReadonlySet<string> = new Set([
  '$ref',
  '$schema',
  'default',
  'definitions',
  'format',
  'id',
]);

function schemaList(keyword: string, argument: Value, parse: ParseSchema): readonly Schema[] {
  if (!Array.isArray(argument))
    throw typeMismatch(`$jsonSchema keyword '${keyword}' must be an array`);
  if (argument.length === 0) {
    throw new MongoCommandError(
      'BadValue',
      `$jsonSchema keyword '${keyword}' must be a non-empty array`,
    );
  }
  return argument.map((spec) => parse(spec, keyword));
}

function clauseDetails(schemas: readonly Schema[], value: Value): Value[] {
  return schemas.flatMap((schema, index): Value[] =>
    schema.test(value)
      ? []
      : [
          new Map<string, Value>([
            ['index', index],
            ...schema.annotations,
            ['details', schema.explain(value)],
          ]),
        ],
  );
}

function allOfRule(argument: Value, parse: ParseSchema): SchemaRule {
  const schemas = schemaList('allOf', argument, parse);
  return {
    keyword: 'allOf',
    test: (value) => schemas.every((schema) => schema.test(value)),
    explain: (value) => details('allOf', ['schemasNotSatisfied', clauseDetails(schemas, value)]),
  };
}

function anyOfRule(argument: Value, parse: ParseSchema): SchemaRule {
  const schemas = schemaList('anyOf', argument, parse);
  return {
    keyword: 'anyOf',
    test: (value) => schemas.some((schema) => schema.test(value)),
    explain: (value) => details('anyOf', ['schemasNotSatisfied', clauseDetails(schemas, value)]),
  };
}

function oneOfRule(argument: Value, parse: ParseSchema): SchemaRule {
  const schemas = schemaList('oneOf', argument, parse);
  const matching = (value: Value) =>
    schemas.flatMap((schema, index) => (schema.test(value) ? [index] : []));
  return {
    keyword: 'oneOf',
    test: (value) => matching(value).length === 1,
    explain(value) {
      const indexes = matching(value);
      if (indexes.length === 0) {
        return details('oneOf', ['schemasNotSatisfied', clauseDetails(schemas, value)]);
      }
      return details(
        'oneOf',
        ['reason', 'more than one subschema matched'],
        ['matchingSchemaIndexes', indexes],
      );
    },
  };
}

function notRule(argument: Value, parse: ParseSchema): SchemaRule {
  const schema = parse(argument, 'not');
  return {
    keyword: 'not',
    test: (value) => !schema.test(value),
    explain: () => details('not', ['reason', 'child expression matched']),
  };
}

/** The rule of a keyword; `undefined` for one that only annotates or only helps another. */
function parseKeyword(keyword: string, argument: Value, schema: Document): SchemaRule | undefined {
  switch (keyword) {
    case 'type':
    case 'bsonType':
      return typeRule(keyword, argument);
    case 'minimum':
    case 'maximum':
      return boundRule(keyword, schema);
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return checkExclusive(keyword, argument, schema);
    case 'multipleOf':
      return multipleOfRule(argument);
    case 'minLength':
    case 'maxLength':
      return lengthRule(keyword, argument);
    case 'pattern':
      return patternRule(argument);
    case 'enum':
      return enumRule(argument);
    case 'required':
      return requiredRule(argument);
    case 'properties':
      return propertiesRule(argument, parseSubschema);
    case 'patternProperties':
      return patternPropertiesRule(argument, parseSubschema);
    case 'additionalProperties':
      return additionalPropertiesRule(schema, parseSubschema);
    case 'minProperties':
    case 'maxProperties':
      return propertyCountRule(keyword, argument);
    case 'dependencies':
      return dependenciesRule(argument, parseSubschema);
    case 'items':
      return itemsRule(argument, parseSubschema);
    case 'additionalItems':
      return additionalItemsRule(schema, parseSubschema);
    case 'minItems':
    case 'maxItems':
      return itemCountRule(keyword, argument);
    case 'uniqueItems':
      return uniqueItemsRule(argument);
    case 'allOf':
      return allOfRule(argument, parseSubschema);
    case 'anyOf':
      return anyOfRule(argument, parseSubschema);
    case 'oneOf':
      return oneOfRule(argument, parseSubschema);
    case 'not':
      return notRule(argument, parseSubschema);
    case 'title':
    case 'description':
      if (typeof argument !== 'string') {
        throw typeMismatch(`$jsonSchema keyword '${keyword}' must be of type string`);
      }
      return undefined;
    case 'encrypt':
    case 'encryptMetadata':
      return undefined;
    default:
      throw failedToParse(
        UNSUPPORTED.has(keyword)
          ? `$jsonSchema keyword '${keyword}' is not currently supported`
          : `Unknown $jsonSchema keyword: ${keyword}`,
      );
  }
}

function checkExclusive(keyword: string, argument: Value, schema: Document): undefined {
  if (typeof argument !== 'boolean') {
    throw typeMismatch(`$jsonSchema keyword '${keyword}' must be a boolean`);
  }
  const companion = keyword === 'exclusiveMinimum' ? 'minimum' : 'maximum';
  if (!schema.has(companion)) {
    throw failedToParse(
      `$jsonSchema keyword '${companion}' must be a present if ${keyword} is present`,
    );
  }
  return undefined;
}

function parseSubschema(spec: Value, keyword: string): Schema {
  if (!(spec instanceof Map)) {
    throw typeMismatch(
      `$jsonSchema keyword '${keyword}' must contain objects, but found one of type ${typeName(spec)}`,
    );
  }
  return parseSchema(spec);
}

function parseSchema(spec: Document): Schema {
  if (spec.has('type') && spec.has('bsonType')) {
    throw failedToParse("Cannot specify both $jsonSchema keywords 'type' and 'bsonType'");
  }
  const rules: SchemaRule[] = [];
  for (const [keyword, argument] of spec) {
    const rule = parseKeyword(keyword, argument, spec);
    if (rule !== undefined) rules.push(rule);
  }
  rules.sort((a, b) => KEYWORD_ORDER.indexOf(a.keyword) - KEYWORD_ORDER.indexOf(b.keyword));
  const annotations: Document = new Map();
  for (const name of ['title', 'description']) {
    const value = spec.get(name);
    if (value !== undefined) annotations.set(name, value);
  }
  return {
    annotations,
    rules,
    test(value) {
      for (const rule of rules) if (!rule.test(value)) return false;
      return true;
    },
    explain: (value) =>
      rules.filter((rule) => !rule.test(value)).map((rule): Value => rule.explain(value)),
  };
}

export interface JsonSchema {
  matches(document: Document): boolean;
  /** The `details` of a document that fails: operatorName and schemaRulesNotSatisfied. */
  explain(document: Document): Document;
}

/**
 * Compiles a schema.
 *
 * @throws FailedToParse, TypeMismatch, BadValue for keywords that are unknown or malformed
 */
export function compileJsonSchema(spec: Document): JsonSchema {
  const schema = parseSchema(spec);
  return {
    matches: (document) => schema.test(document),
    explain: (document) =>
      new Map<string, Value>([
        ['operatorName', '$jsonSchema'],
        ...schema.annotations,
        ['schemaRulesNotSatisfied', schema.explain(document)],
      ]),
  };
}
