// Which types the client wants. A subscription is a socket's, so each new socket is told again.

import type { Dialect } from "./dialects/dialect.js";
import type { Say } from "./acknowledgements.js";
import type { Notification } from "./words.js";

/** Until the first subscription everything is wanted. */
export class Subscriptions {
  readonly #dialect: Dialect;
  readonly #say: Say;
  /** As they were named, by key or alias. */
  #named: readonly string[] | null = null;
  /** As the server understood them, by key. */
  #keys: readonly string[] | null = null;

  constructor(dialect: Dialect, say: Say) {
    this.#dialect = dialect;
    this.#say = say;
  }

  /** From now on these types too, and nothing that was never named. */
  subscribe(types: readonly string[]): void {
    this.#named = [...new Set([...(this.#named ?? []), ...types])];
    this.#say("subscribe", { types });
  }

  /** These types no longer; everything again when none is left or none is named. */
  unsubscribe(types: readonly string[]): void {
    const left = this.#named?.filter((type) => !types.includes(type)) ?? [];
    this.#named = types.length === 0 || left.length === 0 ? null : left;
    this.#say("unsubscribe", this.#named === null ? {} : { types });
  }

  /** A new session stands. */
  ready(): void {
    if (this.#named !== null) this.#say("subscribe", { types: this.#named });
  }

  /** The server says which types it shows. */
  answered(types: readonly string[] | null): void {
    this.#keys = types;
  }

  /** Whether the listener wants it: what a socket missed comes before its subscription is in force. */
  wants(notification: Notification): boolean {
    const key = this.#dialect.key(notification);
    if (this.#named === null || this.#keys === null || key === null) return true;
    return this.#keys.includes(key) || this.#named.includes(key);
  }
}
