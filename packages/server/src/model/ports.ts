/** Interfaces that one step implements and another uses; `app/compose.ts` hands them over. */

/** Outcome of a database probe (cluster.md D2). */
export type DatabaseProbe =
  | { readonly status: 'ok'; readonly latencyMs: number }
  | { readonly status: 'timeout' }
  | { readonly status: 'error'; readonly message: string };

/** Asks the database whether it answers; implemented in `mongo/`. */
export interface DatabaseProbePort {
  /** Runs `{ping: 1}` on `databaseName`; never rejects. */
  ping(databaseName: string, timeoutMs: number): Promise<DatabaseProbe>;
}
