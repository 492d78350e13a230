// Namespace `/notifications`: the internal module's dialect, in snake_case.

import type { Notification } from "../words.js";
import { came, common, members, readings, text, textOrNull, type Dialect, type Payload } from "./dialect.js";

const KNOWN = readings({
  ready: "authenticated",
  closing: "server:closing",
  expiring: "token:expiring",
  one: (operation) => `notification:${operation}`,
  all: (operation) => `notifications:${operation}`,
});

export const internal: Dialect = {
  namespace: "/notifications",
  explains: true,
  pace: { events: 800, ms: 60_000 },
  read(event, payload) {
    const told = members(payload);
    if (event === "notification:new") return came([notification(told)], told);
    if (event === "notification:batch") return came(several(told).map(notification));
    return KNOWN.get(event)?.(told) ?? { kind: "other" };
  },
  acknowledgement: ({ payload }) => ["notification:acknowledge", { recipient_id: members(payload).recipient_id }],
  key: ({ type }) => type,
};

const several = (payload: Payload): Payload[] =>
  Array.isArray(payload.notifications) ? payload.notifications.map(members) : [];

function notification(payload: Payload): Notification {
  return {
    ...common(payload),
    id: text(payload.id),
    type: textOrNull(members(payload.type).id),
    title: text(payload.title),
    message: text(payload.content),
    severity: text(payload.severity) || "normal",
    createdAt: text(payload.created_at),
    actionUrl: textOrNull(payload.action_url),
  };
}
