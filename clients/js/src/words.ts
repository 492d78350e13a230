// What a server says, the same in every dialect.

import type { Place } from "./position.js";

/** What happens to one notification of the inbox, or with `positions` to all up to there. */
export type Operation =
  | "read"
  | "unread"
  | "seen"
  | "archived"
  | "unarchived"
  | "snoozed"
  | "unsnoozed"
  | "deleted"
  | "withdrawn";

/** What happens to all notifications up to a position. */
export type WideOperation = "read_all" | "seen" | "cleared";

/** A notification, whatever the dialect calls its parts; `payload` is what came. Times are ISO 8601. */
export interface Notification {
  readonly id: string;
  /** As the dialect names it: the key of the catalogue, on `/events` the name in capitals. */
  readonly type: string | null;
  readonly title: string;
  readonly message: string;
  readonly severity: string;
  readonly createdAt: string;
  readonly actionUrl: string | null;
  readonly data: unknown;
  /** Where it stands in its room; null in what is sent again. */
  readonly place: Place | null;
  /** Quiet hours: shown without sound. */
  readonly silent: boolean;
  /** One of the newest that a client without a position is shown when it connects, or found by polling. */
  readonly caughtUp: boolean;
  readonly payload: unknown;
}

/** A change of the inbox, here or on another device. `positions` is `{room: seq}`. */
export type Change =
  | { readonly operation: Operation; readonly id: string }
  | { readonly operation: WideOperation; readonly positions: Readonly<Record<string, number>> };

/** Something was refused. `retryMs`: in how long it may be tried again. */
export interface Fault {
  readonly code: string;
  readonly message: string;
  readonly retryMs?: number;
  readonly payload?: unknown;
}

/** One thing that the server said. */
export type Word =
  | { readonly kind: "ready" }
  | { readonly kind: "notifications"; readonly notifications: readonly Notification[]; readonly repeated: boolean }
  | { readonly kind: "change"; readonly change: Change }
  | { readonly kind: "resync"; readonly reason: string }
  | { readonly kind: "closing"; readonly ms: number }
  | { readonly kind: "expiring" }
  | { readonly kind: "subscribed"; readonly types: readonly string[] | null }
  | { readonly kind: "fault"; readonly fault: Fault }
  | { readonly kind: "other" };
