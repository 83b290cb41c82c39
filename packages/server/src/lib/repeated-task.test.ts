import { expect, it } from 'vitest';
import { RepeatedTask } from './repeated-task.ts';

it('runs once at a time, and once more for all who asked meanwhile', async () => {
  let runs = 0;
  let atOnce = 0;
  const task = new RepeatedTask(async () => {
    atOnce += 1;
    expect(atOnce).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    atOnce -= 1;
    runs += 1;
    return runs;
  });
  const first = task.request();
  await Promise.resolve();
  expect(await Promise.all([first, task.request(), task.request()])).toEqual([2, 2, 2]);
  expect(await task.request()).toBe(3);
});
