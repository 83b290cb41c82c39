/**
 * A task of which one run is under way at a time. What happens meanwhile is seen by another run, which all who asked
 * for it share.
 */
export class RepeatedTask<T> {
  readonly #run: () => Promise<T>;
  #running: Promise<T> | undefined;
  #isDue = false;

  constructor(run: () => Promise<T>) {
    this.#run = run;
  }

  /** The outcome of a run that began after this call. */
  request(): Promise<T> {
    this.#isDue = true;
    this.#running ??= this.#runUntilDone().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #runUntilDone(): Promise<T> {
    for (;;) {
      this.#isDue = false;
      const outcome = await this.#run();
      if (!this.#isDue) return outcome;
    }
  }
}
