/** A result as JSON text: `errors`, `data`, `extensions` (graphql.md §8). */
import { writeJson } from '../../representation/json-writer.ts';
import { BsonLeaf } from './bson-scalars.ts';
import type { ErrorObject } from './graphql-errors.ts';

export interface ResultMembers {
  readonly errors?: readonly ErrorObject[];
  /** Undefined: the member is absent; null: nothing could be given. */
  readonly data?: unknown;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

export function writeResult({ errors, data, extensions }: ResultMembers): string {
  const members: string[] = [];
  if (errors !== undefined && errors.length > 0) members.push(`"errors":${JSON.stringify(errors)}`);
  if (data !== undefined) members.push(`"data":${writeValue(data)}`);
  if (extensions !== undefined) members.push(`"extensions":${JSON.stringify(extensions)}`);
  return `{${members.join(',')}}`;
}

function writeValue(value: unknown): string {
  if (value instanceof BsonLeaf) return writeJson(value.value);
  if (Array.isArray(value)) return `[${value.map(writeValue).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}:${writeValue(member)}`,
  );
  return `{${members.join(',')}}`;
}
