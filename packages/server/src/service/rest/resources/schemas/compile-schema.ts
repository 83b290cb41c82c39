/**
 * JSON Schema draft-04 as functions. A schema is split by the kind of its keywords, one check per kind, as the
 * reference's library does: a schema with several checks fails as `only 1 subschema matches out of 2`, and clients
 * see these texts (rest-resources.md §4.2).
 */

import { compileArrayCheck } from './array-check.ts';
import {
  type Check,
  compilePatternOf,
  limitOf,
  SchemaError,
  type SchemaScope,
  wrongType,
} from './check.ts';
import { complainAboutFormat } from './formats.ts';
import {
  describe,
  isEqualJson,
  type JsonForm,
  type JsonObject,
  minify,
  typeNameOf,
} from './json-form.ts';
import { compileNumberCheck } from './number-check.ts';
import { compileObjectCheck } from './object-check.ts';
import { summarize, type Violation, violation } from './violation.ts';

/** Where `$ref` leads: URLs without fragment → schema documents. */
export type SchemaDocuments = ReadonlyMap<string, JsonObject>;

const ARRAY_KEYWORDS = ['items', 'additionalItems', 'minItems', 'maxItems', 'uniqueItems'];
const OBJECT_KEYWORDS = [
  'properties',
  'required',
  'minProperties',
  'maxProperties',
  'dependencies',
  'patternProperties',
  'additionalProperties',
];
const NUMBER_KEYWORDS = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
];
const STRING_KEYWORDS = ['minLength', 'maxLength', 'pattern', 'format'];

/** Deepest chain of checks within checks; schemas that refer to themselves without descending end here. */
const MAX_DEPTH = 400;

/**
 * Compiles a schema with everything it refers to.
 *
 * @param documents - every document that may be referred to, `collectReferences` says which
 * @throws SchemaError
 */
export function compileSchema(schema: JsonObject, url: string, documents: SchemaDocuments): Check {
  const compiled = new Map<JsonForm, Check>();
  let depth = 0;

  function compile(node: JsonForm, baseUrl: string): Check {
    if (!(node instanceof Map))
      throw new SchemaError(`expected a schema, found ${typeNameOf(node)}`);
    const known = compiled.get(node);
    if (known !== undefined) return known;
    // a reference into a schema that is still being compiled is followed when it is first used
    let check: Check | undefined;
    compiled.set(node, (value) => guarded(check as Check, value));
    check = compileNode(node, scopeOf(node, baseUrl));
    const ready = check;
    const entry: Check = (value) => guarded(ready, value);
    compiled.set(node, entry);
    return entry;
  }

  function guarded(check: Check, value: JsonForm): Violation | undefined {
    if (depth >= MAX_DEPTH) throw new SchemaError('the schema refers to itself without end');
    depth += 1;
    try {
      return check(value);
    } finally {
      depth -= 1;
    }
  }

  function scopeOf(node: JsonObject, baseUrl: string): SchemaScope {
    const id = node.get('id');
    return { baseUrl: typeof id === 'string' ? resolveUrl(id, baseUrl).url : baseUrl, compile };
  }

  function compileNode(node: JsonObject, scope: SchemaScope): Check {
    const reference = node.get('$ref');
    if (typeof reference === 'string') {
      const target = lookUp(reference, scope.baseUrl, documents, schema, url);
      return compile(target.schema, target.url);
    }
    return joinChecks(extractChecks(node, scope));
  }

  return compile(schema, url);
}

/** No check accepts everything; several count how many hold. */
function joinChecks(checks: readonly Check[]): Check {
  if (checks.length === 0) return () => undefined;
  const [only] = checks;
  return checks.length === 1 && only !== undefined ? only : allOf(checks);
}

/** The checks of one schema, those made of alternatives first, as the reference orders them. */
function extractChecks(node: JsonObject, scope: SchemaScope): Check[] {
  const combined: Check[] = [];
  const plain: Check[] = [];
  const values = node.get('enum');
  if (values !== undefined) plain.push(enumCheck(values));
  for (const [keyword, join] of COMBINATIONS) {
    const members = node.get(keyword);
    if (members === undefined) continue;
    if (!Array.isArray(members)) throw new SchemaError(`${keyword} must be an array`);
    combined.push(join(members.map((member) => scope.compile(member, scope.baseUrl))));
  }
  const not = node.get('not');
  if (not !== undefined) plain.push(notCheck(not, scope));
  const used = new Set<string>();
  const type = node.get('type');
  if (Array.isArray(type)) {
    combined.push(anyOf(type.map((name) => typeCheck(name, node, scope, used))));
  } else if (type !== undefined) {
    plain.push(typeCheck(type, node, scope, used));
  }
  for (const [keywords, compileKind] of KINDS) {
    if (keywords.some((keyword) => node.has(keyword) && !used.has(keyword))) {
      plain.push(compileKind(node, scope, false));
    }
  }
  return [...combined, ...plain];
}

type KindCompiler = (node: JsonObject, scope: SchemaScope, isRequired: boolean) => Check;

const KINDS: readonly (readonly [readonly string[], KindCompiler])[] = [
  [ARRAY_KEYWORDS, (node, scope, isRequired) => compileArrayCheck(node, scope, isRequired)],
  [OBJECT_KEYWORDS, (node, scope, isRequired) => compileObjectCheck(node, scope, isRequired)],
  [
    NUMBER_KEYWORDS,
    (node, _scope, isRequired) => compileNumberCheck(node, isRequired ? 'number' : undefined),
  ],
  [STRING_KEYWORDS, (node, _scope, isRequired) => compileStringCheck(node, isRequired)],
];

function typeCheck(type: JsonForm, node: JsonObject, scope: SchemaScope, used: Set<string>): Check {
  const uses = (keywords: readonly string[]) => {
    for (const keyword of keywords) used.add(keyword);
  };
  switch (type) {
    case 'string':
      uses(STRING_KEYWORDS);
      return compileStringCheck(node, true);
    case 'integer':
    case 'number':
      uses(NUMBER_KEYWORDS);
      return compileNumberCheck(node, type);
    case 'array':
      uses(ARRAY_KEYWORDS);
      return compileArrayCheck(node, scope, true);
    case 'object':
      uses(OBJECT_KEYWORDS);
      return compileObjectCheck(node, scope, true);
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? undefined : wrongType('Boolean', value));
    case 'null':
      return (value) =>
        value === null ? undefined : violation(`expected: null, found: ${typeNameOf(value)}`);
    default:
      throw new SchemaError(`unknown type: [${describe(type)}]`);
  }
}

function failuresOf(checks: readonly Check[], value: JsonForm): Violation[] {
  const failures: Violation[] = [];
  for (const check of checks) {
    const failure = check(value);
    if (failure !== undefined) failures.push(failure);
  }
  return failures;
}

function allOf(checks: readonly Check[]): Check {
  return (value) => {
    const failures = failuresOf(checks, value);
    if (failures.length === 0) return undefined;
    const matching = checks.length - failures.length;
    return violation(`only ${matching} subschema matches out of ${checks.length}`, failures);
  };
}

function anyOf(checks: readonly Check[]): Check {
  return (value) => {
    const failures = failuresOf(checks, value);
    if (failures.length < checks.length || checks.length === 0) return undefined;
    return violation(`no subschema matched out of the total ${checks.length} subschemas`, failures);
  };
}

function oneOf(checks: readonly Check[]): Check {
  return (value) => {
    const failures = failuresOf(checks, value);
    const matching = checks.length - failures.length;
    if (matching === 1) return undefined;
    return violation(`${matching} subschemas matched instead of one`, failures);
  };
}

const COMBINATIONS = [
  ['allOf', allOf],
  ['anyOf', anyOf],
  ['oneOf', oneOf],
] as const;

function enumCheck(values: JsonForm): Check {
  if (!Array.isArray(values)) throw new SchemaError('enum must be an array');
  return (value) =>
    values.some((allowed) => isEqualJson(allowed, value))
      ? undefined
      : violation(`${describe(value)} is not a valid enum value`);
}

function notCheck(schema: JsonForm, scope: SchemaScope): Check {
  const check = scope.compile(schema, scope.baseUrl);
  return (value) =>
    check(value) === undefined
      ? violation(`subject must not be valid against schema ${minify(schema)}`)
      : undefined;
}

function compileStringCheck(node: JsonObject, isRequired: boolean): Check {
  const minLength = limitOf(node, 'minLength');
  const maxLength = limitOf(node, 'maxLength');
  const source = node.get('pattern');
  const test = typeof source === 'string' ? compilePatternOf(source) : undefined;
  const format = node.get('format');
  return (value) => {
    if (typeof value !== 'string') return isRequired ? wrongType('String', value) : undefined;
    const findings: Violation[] = [];
    // lengths count code points (RFC 4627 characters)
    const length = minLength === undefined && maxLength === undefined ? 0 : [...value].length;
    if (minLength !== undefined && length < minLength) {
      findings.push(violation(`expected minLength: ${minLength}, actual: ${length}`));
    }
    if (maxLength !== undefined && length > maxLength) {
      findings.push(violation(`expected maxLength: ${maxLength}, actual: ${length}`));
    }
    if (test !== undefined && !test(value)) {
      findings.push(violation(`string [${value}] does not match pattern ${source}`));
    }
    const complaint = typeof format === 'string' ? complainAboutFormat(format, value) : undefined;
    if (complaint !== undefined) findings.push(violation(complaint));
    return summarize(findings);
  };
}

/** Splits a reference into the URL of its document and its fragment. */
export function resolveUrl(reference: string, baseUrl: string): { url: string; fragment: string } {
  let resolved: URL;
  try {
    resolved = new URL(reference, baseUrl);
  } catch (cause) {
    throw new SchemaError(`invalid reference ${reference}`, { cause });
  }
  const fragment = resolved.hash.slice(1);
  resolved.hash = '';
  return { url: resolved.href.replace(/#$/, ''), fragment };
}

function lookUp(
  reference: string,
  baseUrl: string,
  documents: SchemaDocuments,
  root: JsonObject,
  rootUrl: string,
): { schema: JsonForm; url: string } {
  const { url, fragment } = resolveUrl(reference, baseUrl);
  const document = url === rootUrl ? root : documents.get(url);
  if (document === undefined) throw new SchemaError(`could not resolve the reference ${reference}`);
  const schema = followPointer(document, fragment);
  if (schema === undefined) throw new SchemaError(`could not resolve the reference ${reference}`);
  return { schema, url };
}

/** RFC 6901 in a URL fragment. */
function followPointer(document: JsonForm, fragment: string): JsonForm | undefined {
  let current: JsonForm | undefined = document;
  if (fragment === '' || fragment === '/') return current;
  for (const raw of fragment.split('/').slice(1)) {
    const piece = decodeFragment(raw).replaceAll('~1', '/').replaceAll('~0', '~');
    if (current instanceof Map) current = current.get(piece);
    else if (Array.isArray(current))
      current = /^\d+$/.test(piece) ? current[Number(piece)] : undefined;
    else return undefined;
  }
  return current;
}

function decodeFragment(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // a stray percent sign stands for itself
    return text;
  }
}

/** URLs of the documents that a schema refers to, itself excluded. */
export function collectReferences(schema: JsonForm, baseUrl: string): Set<string> {
  const urls = new Set<string>();
  visit(schema, baseUrl);
  return urls;

  function visit(node: JsonForm, base: string): void {
    if (Array.isArray(node)) {
      for (const member of node) visit(member, base);
      return;
    }
    if (!(node instanceof Map)) return;
    const id = node.get('id');
    const inner = typeof id === 'string' ? resolveUrl(id, base).url : base;
    const reference = node.get('$ref');
    if (typeof reference === 'string') {
      const { url } = resolveUrl(reference, inner);
      if (url !== baseUrl) urls.add(url);
    }
    for (const member of node.values()) visit(member, inner);
  }
}
