import { MongoCommandError } from '../errors/mongo-command-error.ts';

/** An aggregation error known by MongoDB's `uassert` number, whose codeName is `Location<number>`. */
export function locationError(code: number, message: string): MongoCommandError {
  return new MongoCommandError(`Location${code}`, message);
}

export function typeMismatch(message: string): MongoCommandError {
  return new MongoCommandError('TypeMismatch', message);
}

export function badValue(message: string): MongoCommandError {
  return new MongoCommandError('BadValue', message);
}

export function failedToParse(message: string): MongoCommandError {
  return new MongoCommandError('FailedToParse', message);
}
