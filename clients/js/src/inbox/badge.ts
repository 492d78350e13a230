// The number on the bell: not at every change, and not at all when there is nothing.

import { Emitter } from "../emitter.js";
import type { Timers } from "../world.js";
import type { Inbox } from "./inbox.js";

/** `change` is told the number, or null when the badge is to be hidden, once changes have paused for `quietMs`. */
export class Badge extends Emitter<{ change: [number | null] }> {
  readonly #close: () => void;
  #cancel: () => void = () => {};
  #value: number | null = null;

  constructor(inbox: Inbox, counts: "unseen" | "unread", timers: Timers, quietMs = 300) {
    super();
    this.#close = inbox.on("change", (state) => {
      this.#cancel();
      this.#cancel = timers.after(quietMs, () => this.#become(state[counts]));
    });
  }

  /** As it was told last. */
  get value(): number | null {
    return this.#value;
  }

  /** Tells nothing any more. */
  close(): void {
    this.#cancel();
    this.#close();
  }

  #become(count: number): void {
    const value = count > 0 ? count : null;
    if (value === this.#value) return;
    this.#value = value;
    this.tell("change", value);
  }
}
