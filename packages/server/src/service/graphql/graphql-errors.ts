/** Errors as clients of RESTHeart know them (graphql.md §8). */
import type { GraphQLError } from 'graphql';
import { QuorateError } from '../../errors/quorate-error.ts';
import { AbstractTypeError } from './build-schema.ts';
import { SerializationError } from './complete-value.ts';
import { PipelineSecurityError } from './field-resolver.ts';
import { InterpolationError } from './interpolate.ts';

export type Classification =
  | 'InvalidSyntax'
  | 'ValidationError'
  | 'DataFetchingException'
  | 'NullValueInNonNullableField'
  | 'ExecutionAborted';

export interface ErrorObject {
  readonly message: string;
  readonly locations?: readonly { readonly line: number; readonly column: number }[];
  readonly path?: readonly (string | number)[];
  readonly extensions: { readonly classification: Classification };
}

/** An error of the request as a whole. */
export function plainError(message: string, classification: Classification): ErrorObject {
  return { message, extensions: { classification } };
}

/** The text of a query that cannot be parsed. */
export function syntaxError({ message, locations }: GraphQLError): ErrorObject {
  return {
    message: message.replace(/^Syntax Error: /, 'Invalid syntax: '),
    ...(locations && { locations: locations.map(({ line, column }) => ({ line, column })) }),
    extensions: { classification: 'InvalidSyntax' },
  };
}

/**
 * @param kind - which rule is broken, in the words of the reference
 * @param path - names of the fields above
 */
export function validationError(
  { message, locations }: GraphQLError,
  kind: string,
  path: readonly string[],
): ErrorObject {
  const place = path.length === 0 ? '' : `@[${path.join('/')}]`;
  return {
    message: `Validation error (${kind}${place}) : ${message}`,
    ...(locations && { locations: locations.map(({ line, column }) => ({ line, column })) }),
    extensions: { classification: 'ValidationError' },
  };
}

/** An error of one field. Of what nobody threw on purpose, the client is told no more than that. */
export function fieldError(error: GraphQLError): ErrorObject {
  const path = error.path ?? [];
  const where = printPath(path);
  const { originalError, message } = error;
  const locations = error.locations?.map(({ line, column }) => ({ line, column })) ?? [];
  if (originalError instanceof SerializationError) {
    return {
      message: `Can't serialize value (${where}) : ${message}`,
      path,
      extensions: { classification: 'DataFetchingException' },
    };
  }
  if (originalError instanceof AbstractTypeError) {
    return {
      message: `Can't resolve '${where}'. ${message}`,
      path,
      extensions: { classification: 'DataFetchingException' },
    };
  }
  if (message.startsWith('Cannot return null for non-nullable field')) {
    return {
      message: `The field at path '${where}' was declared as a non null type, but the code involved in retrieving data has wrongly returned a null value`,
      path,
      extensions: { classification: 'NullValueInNonNullableField' },
    };
  }
  return {
    message: `Exception while fetching data (${where}) : ${isIntended(originalError) ? message : 'Internal error, see the log'}`,
    locations,
    path,
    extensions: { classification: 'DataFetchingException' },
  };
}

/** True for errors whose message is meant for the client. */
export function isIntended(error: unknown): boolean {
  return (
    error === undefined ||
    error instanceof QuorateError ||
    error instanceof InterpolationError ||
    error instanceof SerializationError ||
    error instanceof AbstractTypeError ||
    error instanceof PipelineSecurityError
  );
}

/** `/users[0]/posts` */
function printPath(path: readonly (string | number)[]): string {
  return path.map((key) => (typeof key === 'number' ? `[${key}]` : `/${key}`)).join('');
}
