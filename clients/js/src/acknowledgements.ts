// Acknowledges what has arrived, no faster than the namespace allows client events.

import type { Dialect } from "./dialects/dialect.js";
import type { Notification } from "./words.js";
import type { Timers } from "./world.js";

/** Says client events. */
export type Say = (event: string, argument: unknown) => void;

/** A queue for one connection. */
export class Acknowledgements {
  readonly #dialect: Dialect;
  readonly #timers: Timers;
  readonly #say: Say;
  #waiting: Notification[] = [];
  #said = 0;
  #cancel: (() => void) | null = null;

  constructor(dialect: Dialect, timers: Timers, say: Say) {
    this.#dialect = dialect;
    this.#timers = timers;
    this.#say = say;
  }

  /** These have arrived. */
  add(notifications: readonly Notification[]): void {
    this.#waiting.push(...notifications);
    this.#send();
  }

  /** The connection is gone; what it did not acknowledge, the next one is sent again. */
  clear(): void {
    this.#waiting = [];
    this.#said = 0;
    this.#cancel?.();
    this.#cancel = null;
  }

  #send(): void {
    const { events, ms } = this.#dialect.pace;
    for (const one of this.#waiting.splice(0, events - this.#said)) {
      this.#say(...this.#dialect.acknowledgement(one));
      this.#said += 1;
    }
    if (this.#said > 0) this.#cancel ??= this.#timers.after(ms, () => this.#next());
  }

  #next(): void {
    this.#cancel = null;
    this.#said = 0;
    this.#send();
  }
}
