/** How long a synchronous stretch of work may keep the event loop, in milliseconds. */
export const SLICE_MS = 8;

/**
 * Runs `step` until it answers true, giving the event loop a turn between calls. Answers `undefined`
 * when the first call finishes, so that short work costs no promise.
 *
 * @param step - does a stretch of at most about `SLICE_MS`; true when all is done
 */
export function runSliced(step: () => boolean): Promise<void> | undefined {
  if (step()) return undefined;
  return continueSliced(step);
}

async function continueSliced(step: () => boolean): Promise<void> {
  do {
    await nextTurn();
  } while (!step());
}

/** Resolves after the event loop has looked at its sockets and timers. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** `then` applied now to a value, or later to a promised one. */
export function chain<T, R>(
  value: T | Promise<T>,
  then: (value: T) => R | Promise<R>,
): R | Promise<R> {
  return value instanceof Promise ? value.then(then) : then(value);
}
