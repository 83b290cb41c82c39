/** Stored JSON Schemas in the dialect of OpenAPI 3.1. */

import type { Json, JsonObject } from './openapi-parts.ts';

/** Draft-04 as JSON Schema 2020-12, which OpenAPI 3.1 speaks; references stay within the component. */
export function toOpenApiSchema(schema: JsonObject, component: string): JsonObject {
  const base = `#/components/schemas/${component}`;
  return convertObject(schema, base, true);
}

function convert(value: Json, base: string): Json {
  if (Array.isArray(value)) return value.map((item) => convert(item, base));
  return isObject(value) ? convertObject(value, base, false) : value;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Keywords whose members are schemas by name: their names are no keywords. */
const MAPS: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  'definitions',
  'dependencies',
]);
const DROPPED: ReadonlySet<string> = new Set([
  '$schema',
  'id',
  '_id',
  '_etag',
  'exclusiveMinimum',
  'exclusiveMaximum',
]);

function convertObject(schema: JsonObject, base: string, isRoot: boolean): JsonObject {
  const result: Record<string, Json> = {};
  for (const [name, value] of Object.entries(schema)) {
    if (DROPPED.has(name) && (isRoot || !name.startsWith('_'))) continue;
    if (MAPS.has(name) && isObject(value)) Object.assign(result, convertMap(name, value, base));
    else if (name === '$ref') Object.assign(result, toReference(value, base));
    else if (name === 'items' && Array.isArray(value)) result['prefixItems'] = convert(value, base);
    else if (name === 'additionalItems') {
      if (Array.isArray(schema['items'])) result['items'] = convert(value, base);
    } else if (name === 'enum' || name === 'default') result[name] = value;
    else result[name] = convert(value, base);
  }
  moveBound(schema, result, 'minimum', 'exclusiveMinimum');
  moveBound(schema, result, 'maximum', 'exclusiveMaximum');
  return result;
}

function convertMap(name: string, value: JsonObject, base: string): JsonObject {
  const entries = Object.entries(value);
  if (name !== 'dependencies') {
    const members = Object.fromEntries(
      entries.map(([key, member]) => [key, convert(member, base)]),
    );
    return { [name === 'definitions' ? '$defs' : name]: members };
  }
  const required = entries.filter(([, rule]) => Array.isArray(rule));
  const schemas = entries.filter(([, rule]) => isObject(rule));
  return {
    ...(required.length > 0 ? { dependentRequired: Object.fromEntries(required) } : {}),
    ...(schemas.length > 0
      ? {
          dependentSchemas: Object.fromEntries(
            schemas.map(([key, rule]) => [key, convert(rule, base)]),
          ),
        }
      : {}),
  };
}

/** Schemas of other stores are not part of the description: anything goes there. */
function toReference(value: Json, base: string): JsonObject {
  if (typeof value !== 'string' || !value.startsWith('#')) return {};
  return { $ref: `${base}${value.slice(1).replaceAll('/definitions/', '/$defs/')}` };
}

function moveBound(
  schema: JsonObject,
  result: Record<string, Json>,
  bound: string,
  exclusive: string,
): void {
  const value = schema[bound];
  if (schema[exclusive] !== true || value === undefined) return;
  delete result[bound];
  result[exclusive] = value;
}
