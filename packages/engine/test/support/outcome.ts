import { expect } from 'vitest';

/** What a call answers, or what it throws, so that a table may hold either. */
export async function outcomeOf(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (thrown) {
    return thrown;
  }
}

/** The outcome matches: objects by their named fields, all else by equality. */
export async function expectOutcome(call: () => unknown, expected: unknown): Promise<void> {
  const outcome = await outcomeOf(call);
  if (typeof expected === 'object' && expected !== null) expect(outcome).toMatchObject(expected);
  else expect(outcome).toEqual(expected);
}
