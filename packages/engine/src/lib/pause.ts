/**
 * What a long scan yields when it has nothing to give yet. Every operator passes it on, so that the
 * outermost loop can give the event loop a turn, look at `maxTimeMS` and notice a killed operation,
 * whatever the pipeline between it and the scan is doing.
 */
export const PAUSE: unique symbol = Symbol('pause');
export type Pause = typeof PAUSE;

/** How many examined entries a scan may go through in silence before it yields `PAUSE`. */
export const ENTRIES_PER_PAUSE = 256;
