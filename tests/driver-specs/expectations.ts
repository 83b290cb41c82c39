/** Checks of errors, events, log lines and outcomes. */
import {
  MongoBulkWriteError,
  MongoClientBulkWriteError,
  MongoError,
  MongoOperationTimeoutError,
  MongoServerError,
} from 'mongodb';
import { type EntityLookup, MismatchError, match, matchEvent } from './match.ts';
import { plainBulkResult } from './operations.ts';
import type { LogLine, RecordedClient } from './recorded-client.ts';
import type { ExpectedEvents, ExpectedLog, Fields } from './spec-file.ts';

function check(condition: boolean, message: string): void {
  if (!condition) throw new MismatchError(message);
}

/** @throws MismatchError when it is not the expected error */
export function checkError(error: unknown, expected: Fields, entities: EntityLookup): void {
  if (!(error instanceof Error)) throw new MismatchError(`no error but ${String(error)}`);
  const text = `${error.constructor.name}: ${error.message}`;
  // an error of this runner is none of the driver's
  if (error instanceof MismatchError) throw error;
  const cause = error instanceof MongoClientBulkWriteError ? (error.cause ?? error) : error;
  const fields = cause as unknown as Fields;
  if (expected['isClientError'] === true) {
    const deeper = error instanceof MongoBulkWriteError ? error.errorResponse : error;
    check(!(deeper instanceof MongoServerError), `the error comes from the server: ${text}`);
  }
  if (expected['isClientError'] === false) {
    check(error instanceof MongoServerError, `the error is not the server's: ${text}`);
  }
  if (expected['isTimeoutError'] !== undefined) {
    const isTimeout = error instanceof MongoOperationTimeoutError;
    check(isTimeout === expected['isTimeoutError'], `timeout error: ${isTimeout} (${text})`);
  }
  if (expected['errorContains'] !== undefined) {
    const part = String(expected['errorContains']).toLowerCase();
    check(error.message.toLowerCase().includes(part), `"${part}" is not in ${text}`);
  }
  for (const [name, field] of [
    ['errorCode', 'code'],
    ['errorCodeName', 'codeName'],
  ] as const) {
    const wanted = expected[name];
    if (wanted === undefined) continue;
    check(fields[field] === wanted, `${name} ${String(fields[field])}, not ${wanted} (${text})`);
  }
  checkLabels(cause, expected, text);
  checkPartialResult(error, expected, entities);
  if (expected['errorResponse'] !== undefined) {
    const response = cause instanceof MongoServerError ? cause.errorResponse : fields;
    match(expected['errorResponse'], response, entities, 'errorResponse');
  }
}

function checkLabels(cause: unknown, expected: Fields, text: string): void {
  const has = (label: string): boolean => cause instanceof MongoError && cause.hasErrorLabel(label);
  for (const label of (expected['errorLabelsContain'] as string[] | undefined) ?? []) {
    check(has(label), `no label ${label} (${text})`);
  }
  for (const label of (expected['errorLabelsOmit'] as string[] | undefined) ?? []) {
    check(!has(label), `label ${label} (${text})`);
  }
}

function checkPartialResult(error: Error, expected: Fields, entities: EntityLookup): void {
  if (expected['expectResult'] !== undefined) {
    const result =
      error instanceof MongoClientBulkWriteError
        ? plainBulkResult(error.partialResult)
        : ((error as { result?: unknown }).result ?? error);
    match(expected['expectResult'], result, entities, 'partial result', 'anywhere');
  }
  if (error instanceof MongoClientBulkWriteError) {
    if (expected['writeErrors'] !== undefined) {
      const errors = Object.fromEntries(error.writeErrors);
      const wanted = Object.entries(expected['writeErrors'] as Fields);
      check(wanted.length === error.writeErrors.size, `${error.writeErrors.size} write errors`);
      for (const [index, item] of wanted) match(item, errors[index], entities, 'write error');
    }
    if (expected['writeConcernErrors'] !== undefined) {
      match(expected['writeConcernErrors'], error.writeConcernErrors, entities, 'concern error');
    }
  }
}

/** @throws MismatchError when the events of a client are not the expected ones */
export function checkEvents(
  expected: ExpectedEvents,
  recorded: RecordedClient,
  entities: EntityLookup,
): void {
  const family = expected.eventType ?? 'command';
  const events = recorded.events.filter((event) => event.family === family);
  const names = (list: readonly { name: string; event: Fields }[]): string =>
    list.map(({ name, event }) => `${name} ${event['commandName'] ?? ''}`).join(', ');
  const enough =
    expected.ignoreExtraEvents === true
      ? events.length >= expected.events.length
      : events.length === expected.events.length;
  check(enough, `${expected.events.length} events expected, but these came: ${names(events)}`);
  for (const [i, item] of expected.events.entries()) {
    const [entry] = Object.entries(item);
    const event = events[i];
    if (entry === undefined || event === undefined) continue;
    check(event.name === entry[0], `event ${i} is ${event.name}, not ${entry[0]}`);
    matchEvent(entry[1], event.event, entities, `event ${i} ${event.name}`);
  }
}

/** @throws MismatchError when the log lines of a client are not the expected ones */
export function checkLog(
  expected: ExpectedLog,
  recorded: RecordedClient,
  entities: EntityLookup,
): void {
  const isIgnored = (line: LogLine): boolean =>
    (expected.ignoreMessages ?? []).some((ignored) => {
      try {
        match(ignored['data'], line.data, entities);
        return true;
      } catch {
        return false;
      }
    });
  const lines = recorded.logLines.filter((line) => !isIgnored(line));
  const enough =
    expected.ignoreExtraMessages === true
      ? lines.length >= expected.messages.length
      : lines.length === expected.messages.length;
  check(
    enough,
    `${expected.messages.length} log lines expected, but these came: ${lines.map(({ data }) => data['message']).join(', ')}`,
  );
  for (const [i, message] of expected.messages.entries()) {
    const line = lines[i];
    if (line === undefined) continue;
    const path = `log line ${i}`;
    check(line.level === message['level'], `${path} is of level ${String(line.level)}`);
    check(line.component === message['component'], `${path}: component ${String(line.component)}`);
    if (message['failureIsRedacted'] !== undefined) {
      check(line.data['failure'] !== undefined, `${path} has no failure`);
      const redacted = line.data['failure'] === '(redacted)';
      check(redacted === message['failureIsRedacted'], `${path}: redacted is ${redacted}`);
    }
    match(message['data'], line.data, entities, path);
  }
}
