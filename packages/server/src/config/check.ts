import { QuorateError } from '../errors/quorate-error.ts';
import { findNearestName } from '../lib/nearest-name.ts';
import {
  IGNORED_CONNECTION_OPTIONS,
  type Key,
  LIST_SECTIONS,
  MISPLACED_KEYS,
  SECTIONS,
  type Section,
  type Settings,
  UNAVAILABLE_SECTIONS,
} from './schema.ts';

/** Tells where the value at a path came from. */
export type OriginOf = (path: string) => string;

export interface CheckedSettings {
  readonly settings: Settings;
  readonly warnings: readonly string[];
}

/**
 * Compares a configuration with the table and fills in the defaults.
 *
 * Keys that nothing reads are ignored with a warning, as RESTHeart ignores them (operations.md §1): configurations of other
 * versions and of plugins have some. A misspelled one stops the start, for it was meant to change something.
 *
 * @throws ERR_CONFIG_UNKNOWN_KEY for a misspelled key of a known section, ERR_CONFIG_INVALID for a wrong value
 */
export function checkSettings(
  root: Readonly<Record<string, unknown>>,
  originOf: OriginOf,
): CheckedSettings {
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(root)) {
    if (Object.hasOwn(SECTIONS, name) || LIST_SECTIONS.has(name)) {
      if (UNAVAILABLE_SECTIONS.has(name)) warnings.push(unavailable(name, originOf));
      continue;
    }
    if (UNAVAILABLE_SECTIONS.has(name)) {
      if (isBlock(value) && value['enabled'] === false) continue;
      warnings.push(unavailable(name, originOf));
    } else {
      const nearest = findNearestName(name, Object.keys(SECTIONS));
      warnings.push(
        `Unknown section ${name} (${originOf(`/${name}`)}): no part of Quorate reads it, a plugin may own it` +
          (nearest === undefined ? '' : `; is ${nearest} meant?`),
      );
    }
  }
  const checked: Record<string, Record<string, unknown>> = {};
  for (const [name, section] of Object.entries(SECTIONS)) {
    checked[name] = LIST_SECTIONS.has(name)
      ? {}
      : checkSection(name, section, root[name], originOf, warnings);
  }
  return { settings: checked as Settings, warnings };
}

function unavailable(name: string, originOf: OriginOf): string {
  return `Section ${name} (${originOf(`/${name}`)}) is ignored: this feature does not exist yet`;
}

function isBlock(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A key that is farther from every known one is no slip of the pen. */
const MISSPELLING_EDITS = 2;

function checkSection(
  name: string,
  section: Section,
  value: unknown,
  originOf: OriginOf,
  warnings: string[],
): Record<string, unknown> {
  if (value !== undefined && value !== null && !isBlock(value)) {
    throw new QuorateError('ERR_CONFIG_INVALID', {
      message: `${name} must be a block of keys (${originOf(`/${name}`)})`,
    });
  }
  const given = isBlock(value) ? value : {};
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(section.keys, key)) continue;
    if (name === 'connection-options' && IGNORED_CONNECTION_OPTIONS.has(key)) {
      warnings.push(`/${name}/${key} (${originOf(`/${name}/${key}`)}) has no effect in Quorate`);
      continue;
    }
    const path = `/${name}/${key}`;
    const instead = MISPLACED_KEYS.get(path);
    if (instead !== undefined) {
      warnings.push(`${path} (${originOf(path)}) is read by nothing: use ${instead}`);
      continue;
    }
    // RESTHeart lets every plugin have a path, also those that answer no requests
    if (section.isPlugin && key === 'uri') {
      warnings.push(`${path} (${originOf(path)}) has no effect: ${name} answers no requests`);
      continue;
    }
    const meant = findNearestName(key, Object.keys(section.keys), MISSPELLING_EDITS);
    if (meant === undefined) {
      warnings.push(`Unknown key ${path} (${originOf(path)}) is ignored`);
      continue;
    }
    throw new QuorateError('ERR_CONFIG_UNKNOWN_KEY', {
      message: `Unknown key ${path} (${originOf(path)})`,
      hint: `The nearest valid key is /${name}/${meant}`,
    });
  }
  const checked: Record<string, unknown> = {};
  for (const [key, row] of Object.entries(section.keys)) {
    checked[key] = checkValue(`/${name}/${key}`, row, given[key], originOf, warnings);
  }
  return checked;
}

function checkValue(
  path: string,
  row: Key<unknown>,
  value: unknown,
  originOf: OriginOf,
  warnings: string[],
): unknown {
  if (value === undefined) return row.fallback;
  if (value === null) return row.nullIsValue === true ? null : row.fallback;
  const problem = findProblem(row, value) ?? row.check?.(value as never);
  if (problem === undefined) return normalize(row, value);
  if (row.isLenient === true) {
    warnings.push(
      `${path} must be ${problem}, not ${JSON.stringify(value)} (${originOf(path)}): ${JSON.stringify(row.fallback)} is used`,
    );
    return row.fallback;
  }
  const shown = row.isSecret === true ? 'its value' : JSON.stringify(value);
  throw new QuorateError('ERR_CONFIG_INVALID', {
    message: `${path} must be ${problem}, not ${shown} (${originOf(path)})`,
    hint: `${row.text}; the default is ${JSON.stringify(row.fallback)}`,
  });
}

/** Texts may be written as numbers, choices in any case. */
function normalize(row: Key<unknown>, value: unknown): unknown {
  if (row.kind === 'text') return String(value);
  return row.kind === 'choice' ? findChoice(row, value) : value;
}

function findChoice(row: Key<unknown>, value: unknown): string | undefined {
  const wanted = typeof value === 'string' ? value.toUpperCase() : undefined;
  return row.values?.find((choice) => choice.toUpperCase() === wanted);
}

/** What the value should have been, or undefined when it is right. */
function findProblem(row: Key<unknown>, value: unknown): string | undefined {
  switch (row.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'true or false';
    case 'integer':
    case 'number':
      return findNumberProblem(row, value);
    case 'text':
      return typeof value === 'string' || typeof value === 'number' ? undefined : 'a text';
    case 'texts':
      return Array.isArray(value) && value.every((item) => typeof item === 'string')
        ? undefined
        : 'a list of texts';
    case 'choice':
      return findChoice(row, value) === undefined ? nearestChoice(row, value) : undefined;
    default:
      return undefined;
  }
}

function nearestChoice(row: Key<unknown>, value: unknown): string {
  const values = row.values ?? [];
  const nearest = findNearestName(String(value), values);
  const all = `one of ${values.join(', ')}`;
  return nearest === undefined ? all : `${all} (nearest: ${nearest})`;
}

function findNumberProblem(row: Key<unknown>, value: unknown): string | undefined {
  const unit = row.unit === undefined ? '' : ` of ${row.unit}`;
  const range = formatRange(row);
  const isRight =
    typeof value === 'number' &&
    (row.kind === 'number' || Number.isInteger(value)) &&
    value >= (row.min ?? Number.NEGATIVE_INFINITY) &&
    value <= (row.max ?? Number.POSITIVE_INFINITY);
  const noun = row.kind === 'integer' ? 'a whole number' : 'a number';
  return isRight ? undefined : `${noun}${unit}${range}`;
}

function formatRange(row: Key<unknown>): string {
  if (row.min !== undefined && row.max !== undefined) return ` from ${row.min} to ${row.max}`;
  if (row.min !== undefined) return ` not below ${row.min}`;
  return row.max === undefined ? '' : ` not above ${row.max}`;
}
