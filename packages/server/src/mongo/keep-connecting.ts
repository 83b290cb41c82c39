/** The first connection, tried until it succeeds: the driver itself gives up for good (its topology stays closed). */
import type { MongoClient } from 'mongodb';

const RETRY_MS = 250;

/**
 * Opens a client's first connection, and again after each failure; from then on the driver recovers by itself.
 * Operations meanwhile wait for the attempt that runs, or fail at once between two of them.
 *
 * @returns stops trying
 */
export function keepConnecting(client: Pick<MongoClient, 'connect'>): () => void {
  let isStopped = false;
  const connect = async (): Promise<void> => {
    while (!isStopped) {
      try {
        await client.connect();
        return;
      } catch {
        // whoever needs the database is told; the reason is in that error
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
  };
  void connect();
  return () => {
    isStopped = true;
  };
}
