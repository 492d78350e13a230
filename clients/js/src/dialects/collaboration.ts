// Namespace `/events`: collaboration's dialect, whole rows in camelCase.

import { came, readings, members, type Dialect } from "./dialect.js";
import { row } from "./row.js";

const ALL = { read_all: "all-read", seen: "all-seen", cleared: "all-cleared" } as const;
const KNOWN = readings({
  ready: "connected",
  closing: "server:closing",
  expiring: "token.expiring",
  one: (operation) => `notification:${operation}`,
  all: (operation) => `notification:${ALL[operation]}`,
});

export const collaboration: Dialect = {
  namespace: "/events",
  explains: false,
  pace: { events: 800, ms: 60_000 },
  read(event, payload) {
    const told = members(payload);
    if (event === "notification:new") return came([row(told)], told);
    return KNOWN.get(event)?.(told) ?? { kind: "other" };
  },
  acknowledgement: ({ id }) => ["ack", { notificationId: id }],
  key: () => null,
};
