import { QuorateError } from '../errors/quorate-error.ts';

/** Runs the embedded engine alone, in this process, until a signal; `quorate engine`. */
export async function runEngine(options: {
  readonly data: string;
  readonly port: number;
  readonly host: string;
}): Promise<void> {
  const { startEngine } = await import('@quorate/engine');
  let engine: Awaited<ReturnType<typeof startEngine>>;
  try {
    engine = await startEngine({
      dataPath: options.data,
      port: options.port,
      host: options.host,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new QuorateError('ERR_CONFIG_ENGINE', {
      message: `The engine cannot be started on ${options.data}: ${reason}`,
      cause: error,
    });
  }
  const stop = (): void => {
    void engine.close().finally(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // last: who waits for this line may send a signal at once
  process.stdout.write(`Quorate engine started, ${engine.uri}\n`);
}
