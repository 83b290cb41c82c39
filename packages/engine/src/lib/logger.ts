/** Where the engine reports; pino fits, and so does nothing at all. */
export interface Logger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

const ignore = (): void => undefined;

/** A logger that says nothing: the default of an embedded engine. */
export const SILENT_LOGGER: Logger = { info: ignore, warn: ignore, error: ignore };
