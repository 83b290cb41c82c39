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
 * Does `work` by so many workers at once.
 *
 * @returns how often in a second, without the first tenth of the time, and how often in all
 */
export async function concurrently({ workers, seconds }, work) {
  let next = 0;
  let done = 0;
  let isOver = false;
  const run = async () => {
    while (!isOver) {
      next += 1;
      await work(next);
      done += 1;
    }
  };
  const running = Array.from({ length: workers }, run);
  await new Promise((resolve) => setTimeout(resolve, seconds * 100));
  const before = done;
  const startedAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 900));
  const rate = (done - before) / ((performance.now() - startedAt) / 1000);
  isOver = true;
  await Promise.all(running);
  return { rate, done };
}
