// What a dialect is: how the events of one namespace are read. Pure.

import { isObject, isPlace } from "../position.js";
import type { Change, Fault, Notification, Operation, WideOperation, Word } from "../words.js";

/** The members of a payload. */
export type Payload = Readonly<Record<string, unknown>>;

/** One namespace. */
export interface Dialect {
  readonly namespace: string;
  /** Whether a client that is refused is told why; if not, being disconnected before the session stands says it. */
  readonly explains: boolean;
  /** Client events that are sent within `ms` without coming near the limit of the namespace. */
  readonly pace: { readonly events: number; readonly ms: number };
  /** What an event means. */
  read(event: string, payload: unknown): Word;
  /** The client event by which a notification is acknowledged. */
  acknowledgement(notification: Notification): readonly [event: string, argument: Payload];
  /** The catalogue key that a subscription is compared with; null where the payload does not tell it. */
  key(notification: Notification): string | null;
}

/** The names of one dialect. */
export interface Names {
  readonly ready: string;
  readonly closing: string;
  readonly expiring: string;
  one(operation: Operation): string;
  all(operation: WideOperation): string;
}

const ONE: readonly Operation[] = [
  "read", "unread", "seen", "archived", "unarchived", "snoozed", "unsnoozed", "deleted", "withdrawn",
];
const ALL: readonly WideOperation[] = ["read_all", "seen", "cleared"];
const SECOND = 1_000;

type Reading = (payload: Payload) => Word;

/** What every dialect has, by event name; `notification` events come from the dialect itself. */
export function readings(names: Names): ReadonlyMap<string, Reading> {
  const one = ONE.map((operation): [string, Reading] => [names.one(operation), (p) => changed(operation, p)]);
  const all = ALL.map((operation): [string, Reading] => [names.all(operation), (p) => changedAll(operation, p)]);
  return new Map<string, Reading>([
    ...one,
    ...all,
    [names.ready, () => ({ kind: "ready" })],
    [names.closing, (p) => ({ kind: "closing", ms: number(p.reconnectInMs ?? p.reconnect_in_ms) })],
    [names.expiring, () => ({ kind: "expiring" })],
    ["resync", (p) => ({ kind: "resync", reason: text(p.reason) })],
    ["subscribed", (p) => ({ kind: "subscribed", types: Array.isArray(p.types) ? p.types.map(text) : null })],
    ["error", (p) => ({ kind: "fault", fault: fault(p) })],
    ["auth_error", (p) => ({ kind: "fault", fault: fault(p) })],
  ]);
}

/** Notifications that came, one or many. What is sent again has no place and was shown before. */
export function came(notifications: readonly Notification[], payload: Payload = {}): Word {
  return { kind: "notifications", notifications, repeated: payload.redelivered === true };
}

/** What all dialects have in common in a notification. */
export function common(payload: Payload): Pick<Notification, "place" | "silent" | "caughtUp" | "data" | "payload"> {
  const place = isPlace(payload.position) ? payload.position : null;
  return { place, silent: payload.silent === true, caughtUp: false, data: payload.data ?? null, payload };
}

/** A payload's members; an empty one where there are none. */
export const members = (payload: unknown): Payload => (isObject(payload) ? payload : {});

export const text = (value: unknown): string => (typeof value === "string" ? value : "");
export const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value : null);

const number = (value: unknown): number => (typeof value === "number" ? value : 0);

function changed(operation: Operation, payload: Payload): Word {
  const change: Change = { operation, id: text(payload.notificationId ?? payload.notification_id) };
  return { kind: "change", change };
}

function changedAll(operation: WideOperation, payload: Payload): Word {
  return { kind: "change", change: { operation, positions: members(payload.positions) as Record<string, number> } };
}

function fault(payload: Payload): Fault {
  const retryMs = payload.retryInMs ?? payload.retry_in_ms;
  const seconds = payload.retryAfter ?? members(payload.details).retry_after;
  const pause = typeof retryMs === "number" ? retryMs : typeof seconds === "number" ? seconds * SECOND : null;
  const told = { code: text(payload.code), message: text(payload.message), payload };
  return pause === null ? told : { ...told, retryMs: pause };
}
