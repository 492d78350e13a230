// While there is no socket the inbox is asked instead, and what is new in it is shown.

import type { Inbox } from "./inbox/inbox.js";
import { members } from "./dialects/dialect.js";
import { isEmpty } from "./position.js";
import type { Stream } from "./stream.js";
import type { Notification } from "./words.js";
import type { Timers } from "./world.js";

/** Pages that one look goes back at most; what is older is in the list. */
const PAGES = 5;

/** Looks every `everyMs` from `start` to `stop`. */
export class Polling {
  readonly #inbox: Inbox;
  readonly #stream: Stream;
  readonly #timers: Timers;
  readonly #everyMs: number;
  readonly #show: (notification: Notification) => void;
  #turn = 0;
  #isRunning = false;
  #cancel: () => void = () => {};

  constructor(
    inbox: Inbox,
    stream: Stream,
    timers: Timers,
    everyMs: number,
    show: (notification: Notification) => void,
  ) {
    this.#inbox = inbox;
    this.#stream = stream;
    this.#timers = timers;
    this.#everyMs = everyMs;
    this.#show = show;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#look(++this.#turn, true);
  }

  /** True when it was running: what was fetched meanwhile is not in step with the socket. */
  stop(): boolean {
    const was = this.#isRunning;
    this.#isRunning = false;
    this.#turn += 1;
    this.#cancel();
    return was;
  }

  async #look(turn: number, isFirst: boolean): Promise<void> {
    const looked = await this.#fetch().then(() => true, () => false);
    if (turn !== this.#turn) return;
    if (looked) this.#tell(isFirst && isEmpty(this.#stream.position));
    this.#cancel = this.#timers.after(this.#everyMs, () => void this.#look(turn, isFirst && !looked));
  }

  async #fetch(): Promise<void> {
    await this.#inbox.refresh();
    for (let page = 1; page < PAGES && !isEmpty(this.#stream.position) && this.#goesOn(); page++) {
      await this.#inbox.more();
    }
  }

  #goesOn(): boolean {
    const { items, nextCursor } = this.#inbox.state;
    const last = items.at(-1);
    return nextCursor !== null && last !== undefined && this.#stream.isAhead(last);
  }

  /** To whom nothing was ever shown, only what no device of theirs has confirmed, as a socket would. */
  #tell(isFirstEver: boolean): void {
    for (const one of this.#stream.find(this.#inbox.state.items)) {
      if (!isFirstEver || members(one.payload).deliveryStatus === "pending") this.#show(one);
    }
  }
}
