// What the server says, once and in order: keeps the position, and drops what has been shown.

import type { Dialect } from "./dialects/dialect.js";
import { begun, isEmpty, isShown, moved, parsed, positionIn, type Place, type Position } from "./position.js";
import type { Notification, Word } from "./words.js";
import type { Storage } from "./world.js";

/** A word of which what was shown before has been taken out; `arrived` is all that came, for acknowledging it. */
export interface Heard {
  readonly word: Word;
  readonly arrived: readonly Notification[];
}

/** Where a position is kept, and under which key. */
export interface Keeping {
  readonly storage: Storage;
  readonly key: string;
}

/** One client's logs. It moves on before its listener is called, and writes the position down after that. */
export class Stream {
  readonly #dialect: Dialect;
  readonly #keeping: Keeping | null;
  #position: Position;
  #kept: Position;
  /** By id, what was shown before its place was passed: the newest ones, and those found by polling. */
  readonly #early = new Map<string, Place | null>();

  constructor(dialect: Dialect, keeping: Keeping | null = null) {
    this.#dialect = dialect;
    this.#keeping = keeping;
    this.#position = keeping === null ? {} : parsed(keeping.storage.getItem(keeping.key));
    this.#kept = this.#position;
  }

  get position(): Position {
    return this.#position;
  }

  /** Takes an event as it came from the socket. */
  hear(event: string, payload: unknown): Heard {
    const word = this.#dialect.read(event, payload);
    if (word.kind === "notifications") return this.#notifications(word.notifications, word.repeated);
    const step = positionIn(payload) ?? {};
    if (word.kind === "ready") this.#position = begun(this.#position, step);
    else if (word.kind === "resync") this.#resync(step);
    else if (word.kind === "change" && !isEmpty(step)) return this.#entry(word, step);
    return { word, arrived: [] };
  }

  /** Those rows of the inbox (newest first) that no socket and no earlier look has shown, oldest first. */
  find(rows: readonly Notification[]): readonly Notification[] {
    const found = rows.filter((row) => !this.#early.has(row.id) && this.isAhead(row)).reverse();
    for (const { id, place } of found) this.#early.set(id, place);
    return found.map((row) => ({ ...row, caughtUp: true }));
  }

  /** Whether the row of an inbox came after all that was shown. Of a room's other epoch only `resync` tells. */
  isAhead({ place }: Notification): boolean {
    const at = place === null ? undefined : this.#position[place.room];
    return place !== null && (at === undefined || (at[0] === place.epoch && place.seq > at[1]));
  }

  /** Writes the position down, where it is kept, if it has moved. */
  keep(): void {
    if (this.#position === this.#kept || isEmpty(this.#position)) return;
    this.#keeping?.storage.setItem(this.#keeping.key, JSON.stringify(this.#position));
    this.#kept = this.#position;
  }

  #notifications(came: readonly Notification[], repeated: boolean): Heard {
    const caughtUp = isEmpty(this.#position);
    const fresh = repeated ? [] : came.filter((notification) => this.#isFresh(notification));
    const notifications = fresh.map((notification) => ({ ...notification, caughtUp }));
    return { word: { kind: "notifications", notifications, repeated }, arrived: came };
  }

  #isFresh({ id, place }: Notification): boolean {
    const shown = this.#early.delete(id);
    if (isEmpty(this.#position)) {
      this.#early.set(id, place); // one of the newest: where the logs go on is said by `resync`
    } else if (place !== null) {
      const step: Position = { [place.room]: [place.epoch, place.seq] };
      if (isShown(this.#position, step)) return false;
      this.#position = moved(this.#position, step);
    }
    return !shown;
  }

  #entry(word: Word, step: Position): Heard {
    if (isShown(this.#position, step)) return { word: { kind: "other" }, arrived: [] };
    if (!isEmpty(this.#position)) this.#position = moved(this.#position, step);
    return { word, arrived: [] };
  }

  #resync(step: Position): void {
    this.#position = moved(this.#position, step);
    for (const [id, place] of this.#early) {
      if (place !== null && isShown(this.#position, { [place.room]: [place.epoch, place.seq] })) this.#early.delete(id);
    }
  }
}
