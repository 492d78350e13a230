// The inbox of one person: fetched in pages, kept true by what sockets tell, changed at once and rolled back on failure.

import { Emitter } from "../emitter.js";
import type { Position } from "../position.js";
import type { Action, InboxRoutes } from "../rest/inbox_routes.js";
import type { Change, WideOperation } from "../words.js";
import type { Timers } from "../world.js";
import * as states from "./state.js";
import type { Happening, State } from "./state.js";

/** What it listens to and asks. Times are milliseconds. */
export interface InboxOptions {
  readonly pageSize: number;
  /** How long changes are collected before the counts are fetched again. */
  readonly recountMs: number;
}

interface Pending {
  readonly happening: Happening;
  /** Somebody changed the same meanwhile: what the server told since then counts. */
  overtaken: boolean;
}

/** `change` is told the inbox whenever it is another. */
export class Inbox extends Emitter<{ change: [State] }> {
  readonly #routes: InboxRoutes;
  readonly #timers: Timers;
  readonly #options: InboxOptions;
  readonly #position: () => Position;
  #base = states.EMPTY;
  #shown = states.EMPTY;
  #pending: readonly Pending[] = [];
  readonly #journals = new Set<Happening[]>();
  #refreshing: Promise<void> | null = null;
  #cancelRecount: (() => void) | null = null;

  constructor(routes: InboxRoutes, timers: Timers, options: InboxOptions, position: () => Position) {
    super();
    this.#routes = routes;
    this.#timers = timers;
    this.#options = options;
    this.#position = position;
  }

  /** As it is to be shown, with what has not been confirmed yet. */
  get state(): State {
    return this.#shown;
  }

  /** Fetches the newest page and the counts. Rejects with CallFailed. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  /** Fetches the next older page, if there is one. Rejects with CallFailed. */
  async more(): Promise<void> {
    const { nextCursor } = this.#base;
    if (nextCursor === null) return;
    const page = await this.#routes.page(this.#options.pageSize, nextCursor);
    if (this.#base.nextCursor === nextCursor) this.#become(states.continued(this.#base, page));
  }

  /** Does something to one: shown at once, taken back when it is refused. Rejects with CallFailed. */
  act(id: string, action: Action): Promise<void> {
    return this.#optimistic({ operation: action, id }, async () => {
      await this.#routes.act(id, action);
      return { operation: action, id };
    });
  }

  /** Hides one until an ISO 8601 time. Rejects with CallFailed. */
  snooze(id: string, until: string): Promise<void> {
    return this.#optimistic({ operation: "snoozed", id }, async () => {
      await this.#routes.snooze(id, until);
      return { operation: "snoozed", id };
    });
  }

  /** Marks read, marks seen or clears everything that has come here; what comes meanwhile stays. Rejects as `act`. */
  all(operation: WideOperation): Promise<void> {
    const upTo = states.seenUpTo(this.#shown, this.#position());
    const positions = Object.fromEntries(Object.entries(upTo).map(([room, [, seq]]) => [room, seq]));
    return this.#optimistic({ operation, positions }, () => this.#routes.move(operation, upTo));
  }

  /** Something happened, here or elsewhere. */
  heard(happening: Happening): void {
    for (const journal of this.#journals) journal.push(happening);
    for (const pending of this.#pending) pending.overtaken ||= concernsTheSame(pending.happening, happening);
    const counted = states.isCounted(this.#base, happening);
    this.#become(states.after(this.#base, happening));
    if (!this.#base.isLoaded) return;
    if (!states.isListed(happening)) this.#inBackground(this.refresh());
    else if (!counted) this.#recountSoon();
  }

  /** Nothing is fetched by itself any more. */
  close(): void {
    this.#cancelRecount?.();
    this.#cancelRecount = null;
  }

  async #refresh(): Promise<void> {
    await this.#noting(async (journal) => {
      const { pageSize } = this.#options;
      const [page, counts] = await Promise.all([this.#routes.page(pageSize, null), this.#routes.counts()]);
      this.#become(journal.reduce(states.after, states.loaded(page, counts)));
    });
  }

  async #recount(): Promise<void> {
    await this.#noting(async () => this.#become({ ...this.#base, ...(await this.#routes.counts()) }));
  }

  /** Fetches while what happens is noted: it may be in what is fetched, or not, so then the counts are asked again. */
  async #noting(fetching: (journal: readonly Happening[]) => Promise<void>): Promise<void> {
    const journal: Happening[] = [];
    this.#journals.add(journal);
    try {
      await fetching(journal);
    } finally {
      this.#journals.delete(journal);
    }
    if (journal.length > 0) this.#recountSoon();
  }

  #recountSoon(): void {
    this.#cancelRecount ??= this.#timers.after(this.#options.recountMs, () => {
      this.#cancelRecount = null;
      this.#inBackground(this.#recount());
    });
  }

  /** What nobody waits for may fail: the next change, poll or resync fetches again. */
  #inBackground(work: Promise<void>): void {
    work.catch(() => {});
  }

  async #optimistic(change: Change, send: () => Promise<Change>): Promise<void> {
    const pending: Pending = { happening: { kind: "changed", change }, overtaken: false };
    this.#wait([...this.#pending, pending]);
    try {
      const done: Happening = { kind: "changed", change: await send() };
      if (!pending.overtaken) this.heard(done);
    } finally {
      this.#wait(this.#pending.filter((one) => one !== pending));
    }
  }

  #wait(pending: readonly Pending[]): void {
    this.#pending = pending;
    this.#become(this.#base);
  }

  #become(base: State): void {
    this.#base = base;
    const shown = this.#pending.reduce((state, { happening }) => states.after(state, happening), base);
    if (JSON.stringify(shown) === JSON.stringify(this.#shown)) return;
    this.#shown = shown;
    this.tell("change", shown);
  }
}

function concernsTheSame(pending: Happening, heard: Happening): boolean {
  if (pending.kind === "arrived" || heard.kind === "arrived") return false;
  const [one, other] = [pending.change, heard.change];
  return "positions" in one || "positions" in other || one.id === other.id;
}
