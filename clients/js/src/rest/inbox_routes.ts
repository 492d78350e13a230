// The routes of the inbox.

import { row } from "../dialects/row.js";
import { members, text } from "../dialects/dialect.js";
import type { Position } from "../position.js";
import type { Change, Notification, WideOperation } from "../words.js";
import type { Http } from "./http.js";

/** A notification of the inbox. */
export interface Item extends Notification {
  readonly read: boolean;
  readonly seen: boolean;
}

/** Newest first; `nextCursor` is null on the last page. */
export interface Page {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** How many are unread, and how many were not seen. */
export interface Counts {
  readonly unread: number;
  readonly unseen: number;
}

/** What may be done to one notification. */
export type Action = "read" | "unread" | "seen" | "archived" | "unarchived" | "deleted";

const BASE = "/api/v1/notifications";
const VERBS = { read: "read", unread: "unread", seen: "seen", archived: "archive", unarchived: "unarchive" } as const;
const WIDE: Readonly<Record<WideOperation, string>> = { read_all: "read-all", seen: "seen", cleared: "clear" };

/** Everything rejects with CallFailed. */
export class InboxRoutes {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  async page(limit: number, cursor: string | null): Promise<Page> {
    const query = new URLSearchParams({ limit: String(limit), ...(cursor === null ? {} : { cursor }) });
    const body = members(await this.#http.get(`${BASE}?${query}`));
    const items = Array.isArray(body.items) ? body.items.map((one) => item(members(one))) : [];
    return { items, nextCursor: text(body.nextCursor) || null };
  }

  async counts(): Promise<Counts> {
    const body = members(await this.#http.get(`${BASE}/counts`));
    return { unread: Number(body.unread), unseen: Number(body.unseen) };
  }

  async act(id: string, action: Action): Promise<void> {
    const path = `${BASE}/${encodeURIComponent(id)}`;
    if (action === "deleted") await this.#http.send("DELETE", path);
    else await this.#http.send("POST", `${path}/${VERBS[action]}`);
  }

  /** Until an ISO 8601 time. */
  async snooze(id: string, until: string): Promise<void> {
    await this.#http.send("POST", `${BASE}/${encodeURIComponent(id)}/snooze`, { until });
  }

  /** Does it to everything up to `positions`; returns the change as it happened. */
  async move(operation: WideOperation, positions: Position): Promise<Change> {
    const body = members(await this.#http.send("POST", `${BASE}/${WIDE[operation]}`, { positions }));
    return { operation, positions: members(body.positions) as Record<string, number> };
  }
}

function item(payload: Readonly<Record<string, unknown>>): Item {
  return { ...row(payload), read: payload.read === true, seen: payload.seen === true };
}
