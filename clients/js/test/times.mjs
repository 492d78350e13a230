// A clock that moves when it is told to.

/** Timers for tests: `pass(ms)` moves the time on and calls back what is due, in order. */
export class Times {
  #now = 0;
  #waiting = [];

  now() {
    return this.#now;
  }

  after(ms, call) {
    const timer = { at: this.#now + ms, call };
    this.#waiting.push(timer);
    return () => (this.#waiting = this.#waiting.filter((one) => one !== timer));
  }

  /** Moves on by `ms`; between two timers whatever they began may go on. */
  async pass(ms) {
    const end = this.#now + ms;
    await settled();
    for (let next; (next = this.#next(end)); await settled()) {
      this.#now = next.at;
      this.#waiting = this.#waiting.filter((one) => one !== next);
      next.call();
    }
    this.#now = end;
  }

  /** In how many milliseconds the next timer is due; null without one. */
  due() {
    return this.#waiting.length === 0 ? null : Math.min(...this.#waiting.map(({ at }) => at)) - this.#now;
  }

  #next(end) {
    return this.#waiting.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
  }
}

/** Lets everything go on that waits for nothing but promises. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));
