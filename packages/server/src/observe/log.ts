import { pino } from 'pino';

/** Names of levels as operations.md §4 has them. */
export type LogLevel = 'OFF' | 'ERROR' | 'WARN' | 'INFO' | 'DEBUG' | 'TRACE' | 'ALL';

type Severity = 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** Facts beside the message; never tokens, passwords or document content. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where every part writes what it has to say. */
export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  trace(message: string, fields?: LogFields): void;
  isEnabled(level: 'debug' | 'trace' | 'info'): boolean;
}

/** A sink of finished lines, such as standard output or a rolling file. */
export interface LineSink {
  write(line: string): void;
  /** Everything written so far reaches its destination before this returns. */
  flushSync(): void;
}

/** How lines look: `json` is pino's, `text` the layout of operations.md §4. */
export type LogFormat = 'json' | 'text';

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly colors: boolean;
  readonly fullStackTrace: boolean;
  readonly sinks: readonly LineSink[];
}

const RANK: Readonly<Record<LogLevel, number>> = {
  OFF: 0,
  ERROR: 1,
  WARN: 2,
  INFO: 3,
  DEBUG: 4,
  TRACE: 5,
  ALL: 5,
};
const SEVERITY_RANK: Readonly<Record<Severity, number>> = {
  error: 1,
  warn: 2,
  info: 3,
  debug: 4,
  trace: 5,
};

/** Makes the one log of the process. */
export function createLog(options: LogOptions): Log {
  const emit = options.format === 'json' ? jsonEmitter(options) : textEmitter(options);
  const rank = RANK[options.level];
  const at =
    (severity: Severity) =>
    (message: string, fields?: LogFields): void => {
      if (SEVERITY_RANK[severity] <= rank) emit(severity, message, fields);
    };
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    trace: at('trace'),
    isEnabled: (level) => SEVERITY_RANK[level] <= rank,
  };
}

/** A log that drops everything; for tests and embedding. */
export const SILENT_LOG: Log = createLog({
  level: 'OFF',
  format: 'text',
  colors: false,
  fullStackTrace: false,
  sinks: [],
});

type Emit = (severity: Severity, message: string, fields: LogFields | undefined) => void;

function jsonEmitter(options: LogOptions): Emit {
  const { sinks } = options;
  const logger = pino(
    {
      level: 'trace',
      base: { pid: process.pid },
      serializers: { err: pino.stdSerializers.err },
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line: string) => {
        for (const sink of sinks) sink.write(line);
      },
    },
  );
  return (severity, message, fields) => {
    if (fields === undefined) logger[severity](message);
    else logger[severity](fields, message);
  };
}

const COLORS: Readonly<Record<Severity, string>> = {
  error: '\u001b[31m',
  warn: '\u001b[33m',
  info: '\u001b[32m',
  debug: '\u001b[36m',
  trace: '\u001b[90m',
};
const RESET = '\u001b[0m';

/** `HH:mm:ss.SSS [thread] LEVEL [request] ⚬ message` */
function textEmitter(options: LogOptions): Emit {
  return (severity, message, fields) => {
    const level = severity.toUpperCase().padEnd(5);
    const shown = options.colors ? `${COLORS[severity]}${level}${RESET}` : level;
    const { requestId, err, ...rest } = fields ?? {};
    const id = requestId === undefined ? '' : ` [trace-id: ${String(requestId)}]`;
    const facts = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`;
    const line = `${timeOfDay()} [main] ${shown}${id} ⚬ ${message}${facts}${formatError(err, options.fullStackTrace)}\n`;
    for (const sink of options.sinks) sink.write(line);
  };
}

function timeOfDay(): string {
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}.${String(now.getMilliseconds()).padStart(3, '0')}`;
}

function formatError(err: unknown, fullStackTrace: boolean): string {
  if (err === undefined) return '';
  if (!(err instanceof Error)) return `\n  ${String(err)}`;
  const lines = (err.stack ?? `${err.name}: ${err.message}`).split('\n');
  const shown = fullStackTrace ? lines : lines.slice(0, 8);
  const cause = err.cause === undefined ? '' : `\n  caused by${formatError(err.cause, false)}`;
  return `\n  ${shown.join('\n  ')}${cause}`;
}
