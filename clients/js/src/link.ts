// The life of one connection: made, lost, tried again, given up for a while, refused, closed.

import type { Dialect } from "./dialects/dialect.js";
import { after, type End, type Next, type Reconnection } from "./reconnection.js";
import type { Tokens } from "./tokens.js";
import type { Fault } from "./words.js";
import type { Random, Timers } from "./world.js";

/** Where a client stands. `waiting`: the connection is tried again in `ms`. `offline`: the inbox is polled instead. */
export type Status =
  | { readonly kind: "connecting" }
  | { readonly kind: "online" }
  | { readonly kind: "waiting"; readonly attempt: number; readonly ms: number }
  | { readonly kind: "offline" }
  | { readonly kind: "refused"; readonly fault: Fault }
  | { readonly kind: "closed" };

/** What is needed of a socket of socket.io-client, whose own reconnection is off. */
export interface Connection {
  connect(): unknown;
  disconnect(): unknown;
}

/** How a link behaves. Times are milliseconds. */
export interface LinkOptions {
  readonly reconnection: Reconnection;
  readonly connectTimeoutMs: number;
  /** The longest wait before a client counts as offline, and the pause between attempts while it is. */
  readonly patienceMs: number;
  readonly timers: Timers;
  readonly random: Random;
}

/** A last word explains the end of a connection only if that follows at once. */
const WORD_MS = 5_000;
const REFUSALS = new Set(["UNAUTHORIZED", "INVALID_TOKEN", "EXPIRED_TOKEN"]);
const REFUSED: Fault = { code: "UNAUTHORIZED", message: "the token was refused" };
const LOST: End = { kind: "lost" };

/** Tells `changed` of every new status. The socket's events are handed in by their names. */
export class Link {
  readonly #socket: Connection;
  readonly #dialect: Dialect;
  readonly #tokens: Tokens;
  readonly #options: LinkOptions;
  readonly #changed: (status: Status) => void;
  #status: Status = { kind: "closed" };
  #attempt = 0;
  #turn = 0;
  #live = false;
  #renewed = false;
  #cancel: () => void = () => {};
  #word: { readonly fault: Fault; readonly at: number } | null = null;

  constructor(
    socket: Connection,
    dialect: Dialect,
    tokens: Tokens,
    options: LinkOptions,
    changed: (status: Status) => void,
  ) {
    this.#socket = socket;
    this.#dialect = dialect;
    this.#tokens = tokens;
    this.#options = options;
    this.#changed = changed;
  }

  get status(): Status {
    return this.#status;
  }

  /** Connects, unless it is connected or about to be. */
  open(): void {
    if (this.#status.kind === "closed" || this.#status.kind === "refused") this.#begin();
  }

  /** Ends it for good, until it is opened again. */
  close(): void {
    this.#leave();
    this.#set({ kind: "closed" });
  }

  /** Tries again now, without waiting for the pause to end: the network is back, the page is looked at again. */
  hurry(): void {
    if (this.#status.kind === "waiting" || this.#status.kind === "offline") void this.#try();
  }

  /** The session stands. */
  ready(): void {
    this.#cancel();
    this.#attempt = 0;
    this.#renewed = false;
    this.#word = null;
    if (this.#status.kind !== "online") this.#set({ kind: "online" });
  }

  /** The server refused something; if it ends the connection now, that was why. */
  fault(fault: Fault): void {
    this.#word = { fault, at: this.#options.timers.now() };
  }

  /** The server stops, and wants its client back after `ms`, from which on another one serves it. */
  closing(ms: number): void {
    this.#cancel();
    this.#cancel = this.#options.timers.after(ms, () => this.#begin());
    this.#live = false; // that the connection ends meanwhile is no news
    this.#set({ kind: "waiting", attempt: 0, ms });
  }

  /** The socket was disconnected; `byServer` when the server chose to. */
  lost(byServer: boolean): void {
    if (!this.#live) return;
    const word = this.#word;
    const early = byServer && !this.#dialect.explains && this.#status.kind !== "online";
    if (word !== null && this.#options.timers.now() - word.at < WORD_MS) this.#ended(meaning(word.fault));
    else this.#ended(early ? { kind: "refused", fault: REFUSED } : LOST);
  }

  /** The connection could not be made, or was refused in its answer. */
  failed(): void {
    this.lost(false);
  }

  #begin(): void {
    this.#leave();
    this.#attempt = 0;
    this.#renewed = false;
    void this.#try();
  }

  async #try(): Promise<void> {
    this.#leave();
    if (this.#status.kind !== "offline") this.#set({ kind: "connecting" });
    const turn = this.#turn;
    try {
      await this.#tokens.get();
    } catch {
      if (turn === this.#turn) this.#ended(LOST);
      return;
    }
    if (turn !== this.#turn) return;
    this.#live = true;
    this.#cancel = this.#options.timers.after(this.#options.connectTimeoutMs, () => this.#ended(LOST));
    this.#socket.connect();
  }

  #ended(end: End): void {
    const { reconnection, patienceMs: patience, random } = this.#options;
    this.#leave();
    const renewable = this.#tokens.isRenewable && !this.#renewed;
    this.#follow(after(end, { attempt: this.#attempt, reconnection, patience, renewable }, random));
  }

  #follow(next: Next): void {
    switch (next.kind) {
      case "wait":
        this.#attempt += 1;
        this.#cancel = this.#options.timers.after(next.ms, () => void this.#try());
        if (this.#status.kind !== "offline") this.#set({ kind: "waiting", attempt: this.#attempt, ms: next.ms });
        break;
      case "offline":
        this.#cancel = this.#options.timers.after(next.ms, () => void this.#try());
        if (this.#status.kind !== "offline") this.#set({ kind: "offline" });
        break;
      case "renew":
        this.#renewed = true;
        void this.#renew();
        break;
      case "stop":
        this.#set({ kind: "refused", fault: next.fault });
    }
  }

  async #renew(): Promise<void> {
    const turn = this.#turn;
    if (this.#status.kind === "online") this.#set({ kind: "connecting" });
    try {
      await this.#tokens.renew();
    } catch {
      if (turn === this.#turn) this.#ended(LOST);
      return;
    }
    if (turn === this.#turn) await this.#try();
  }

  /** Whatever was under way counts no more. */
  #leave(): void {
    this.#turn += 1;
    this.#cancel();
    this.#cancel = () => {};
    this.#live = false;
    this.#word = null;
    this.#socket.disconnect();
  }

  #set(status: Status): void {
    this.#status = status;
    this.#changed(status);
  }
}

function meaning(fault: Fault): End {
  if (REFUSALS.has(fault.code)) return { kind: "refused", fault };
  return fault.retryMs === undefined ? LOST : { kind: "told", ms: fault.retryMs };
}
