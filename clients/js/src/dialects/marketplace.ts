// Namespace `/ws/notifications`: the marketplace's dialect, every type under its own name.

import { isPlace } from "../position.js";
import { came, members, readings, type Dialect } from "./dialect.js";
import { row } from "./row.js";

const ALL = { read_all: "notificationsRead", seen: "notificationsSeen", cleared: "notificationsCleared" } as const;
const KNOWN = readings({
  ready: "connected",
  closing: "serverClosing",
  expiring: "token.expiring",
  one: (operation) => `notification${operation.charAt(0).toUpperCase()}${operation.slice(1)}`,
  all: (operation) => ALL[operation],
});

export const marketplace: Dialect = {
  namespace: "/ws/notifications",
  explains: true,
  pace: { events: 6, ms: 5_000 },
  read(event, payload) {
    const told = members(payload);
    const known = KNOWN.get(event);
    if (known) return known(told);
    // The names of types are the tenant's own: what has a place in a room, or had one, is a notification.
    const isNotification = typeof told.id === "string" && (isPlace(told.position) || told.redelivered === true);
    return isNotification ? came([row(told)], told) : { kind: "other" };
  },
  acknowledgement: ({ id }) => ["ack", { notificationId: id }],
  key: ({ type }) => type,
};
