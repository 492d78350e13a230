// An inbox as it is shown, and how it changes. Pure.

import type { Place, Position } from "../position.js";
import type { Counts, Item, Page } from "../rest/inbox_routes.js";
import type { Change, Notification } from "../words.js";

/** Newest first. `nextCursor` is null when there is nothing older. `isLoaded`: it has been fetched at least once. */
export interface State extends Counts {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
  readonly isLoaded: boolean;
}

export const EMPTY: State = { items: [], nextCursor: null, unread: 0, unseen: 0, isLoaded: false };

/** Something that happened to the inbox. */
export type Happening =
  | { readonly kind: "arrived"; readonly notification: Notification }
  | { readonly kind: "changed"; readonly change: Change };

/** The inbox afterwards. What happens twice has no second effect. */
export function after(state: State, happening: Happening): State {
  return happening.kind === "arrived" ? arrived(state, happening.notification) : changed(state, happening.change);
}

/** Whether the counts can be told from what is loaded; if not they must be fetched. */
export function isCounted(state: State, happening: Happening): boolean {
  if (happening.kind === "arrived") return !isOlder(state, happening.notification);
  const { change } = happening;
  if ("positions" in change) return false;
  return change.operation !== "unarchived" && change.operation !== "unsnoozed" && has(state, change.id);
}

/** Whether something came back that the list may lack. */
export function isListed(happening: Happening): boolean {
  return happening.kind !== "changed" || !["unarchived", "unsnoozed"].includes(happening.change.operation);
}

/** A first page, in place of everything that was loaded. */
export function loaded(page: Page, counts: Counts): State {
  return { ...counts, ...page, isLoaded: true };
}

/** An older page, after what is there. */
export function continued(state: State, page: Page): State {
  const items = page.items.filter(({ id }) => !has(state, id));
  return { ...state, items: [...state.items, ...items], nextCursor: page.nextCursor };
}

/** Up to where somebody has seen everything who looks at this list; `position` is what sockets have brought. */
export function seenUpTo(state: State, position: Position): Position {
  const seen: Record<string, readonly [number, number]> = { ...position };
  delete seen["state"];
  for (const { place } of state.items) {
    const at = place === null ? undefined : seen[place.room];
    if (place !== null && (at === undefined || at[1] < place.seq)) seen[place.room] = [place.epoch, place.seq];
  }
  return seen;
}

function arrived(state: State, notification: Notification): State {
  if (has(state, notification.id)) return state;
  const counts = { unread: state.unread + 1, unseen: state.unseen + 1 };
  if (isOlder(state, notification)) return { ...state, ...counts };
  const item: Item = { ...notification, read: false, seen: false };
  const place = state.items.findIndex(({ createdAt }) => createdAt <= item.createdAt);
  const items = [...state.items];
  items.splice(place < 0 ? items.length : place, 0, item);
  return { ...state, ...counts, items };
}

/** Whether it stands on a page that is not loaded. */
function isOlder(state: State, { createdAt }: Notification): boolean {
  const last = state.items.at(-1);
  return state.nextCursor !== null && last !== undefined && createdAt < last.createdAt;
}

function changed(state: State, change: Change): State {
  if ("positions" in change) return moved(state, change.operation, change.positions);
  const item = state.items.find(({ id }) => id === change.id);
  if (item === undefined) return state;
  switch (change.operation) {
    case "read":
      return replaced(state, item, { ...item, read: true, seen: true });
    case "unread":
      return replaced(state, item, { ...item, read: false });
    case "seen":
      return replaced(state, item, { ...item, seen: true });
    case "unarchived":
    case "unsnoozed":
      return state;
    default:
      return replaced(state, item, null);
  }
}

/** Everything up to `positions`. What is not loaded is older, and taken to be among it until the counts are fetched. */
function moved(state: State, operation: string, positions: Readonly<Record<string, number>>): State {
  const isMeant = ({ place }: { readonly place: Place | null }): boolean =>
    place !== null && place.seq <= (positions[place.room] ?? -1);
  const left = operation === "cleared" ? state.items.filter((item) => !isMeant(item)) : state.items;
  const read = operation === "read_all";
  const items = left.map((item) => (isMeant(item) ? { ...item, seen: true, read: item.read || read } : item));
  const unread = operation === "seen" ? state.unread : items.filter((item) => !item.read).length;
  return { ...state, items, unread, unseen: items.filter((item) => !item.seen).length };
}

function replaced(state: State, before: Item, now: Item | null): State {
  const items = state.items.flatMap((item) => (item !== before ? [item] : now === null ? [] : [now]));
  const unread = state.unread - Number(!before.read) + Number(now !== null && !now.read);
  const unseen = state.unseen - Number(!before.seen) + Number(now !== null && !now.seen);
  return { ...state, items, unread: Math.max(0, unread), unseen: Math.max(0, unseen) };
}

const has = (state: State, id: string): boolean => state.items.some((item) => item.id === id);
