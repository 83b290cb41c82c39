/** Thread that runs the embedded engine beside the server, so that neither blocks the other. */

import { parentPort, workerData } from 'node:worker_threads';
import type { EngineRequest, EngineStarted } from './embedded-engine.ts';

const request = workerData as EngineRequest;

try {
  const { startEngine } = await import('@quorate/engine');
  const engine = await startEngine({ dataPath: request.dataPath, port: request.port });
  parentPort?.postMessage({ kind: 'started', uri: engine.uri } satisfies EngineStarted);
  parentPort?.once('message', () => {
    void engine.close().finally(() => parentPort?.postMessage({ kind: 'closed' }));
  });
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  parentPort?.postMessage({ kind: 'failed', message });
  parentPort?.close();
}
