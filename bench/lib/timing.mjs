// How long work takes, and how often it can be done.
import { median } from './load.mjs';

/** @returns milliseconds */
export async function timed(work) {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** A row with the median of so many runs, one after another. */
export async function repeated(name, times, work) {
  const measured = [];
  for (let i = 0; i < times; i += 1) measured.push(await timed(work));
  const ms = median(measured);
  return { name, ms, value: `${ms.toFixed(2)} ms`, note: `median of ${times}` };
}

/**
 * Does `work` so many times by so many workers at once.
 *
 * @returns how often in a second
 */
export async function concurrently({ workers, times }, work) {
  let next = 0;
  const run = async () => {
    while (next < times) {
      next += 1;
      await work(next);
    }
  };
  const ms = await timed(() => Promise.all(Array.from({ length: workers }, run)));
  return times / (ms / 1000);
}
