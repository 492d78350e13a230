// What the client needs from its surroundings; everything can be given, so that tests need neither time nor chance.

/** A clock and timers; times are milliseconds. */
export interface Timers {
  now(): number;
  /** Calls back once after `ms`; the returned function takes the timer back. */
  after(ms: number, call: () => void): () => void;
}

/** Where a position is kept: `localStorage`, `sessionStorage`, or anything with these two. */
export interface Storage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** A number of at least 0 and less than 1. */
export type Random = () => number;

export const realTimers: Timers = {
  now: () => Date.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};
