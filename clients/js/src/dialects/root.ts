// Namespace `/`: the four event names, in camelCase.

import type { Notification } from "../words.js";
import { came, common, members, readings, text, textOrNull, type Dialect, type Payload } from "./dialect.js";

const EVENTS = new Set(["system.notification", "service.event", "service.alert", "agent.event"]);
const KNOWN = readings({
  ready: "connected",
  closing: "server.closing",
  expiring: "token.expiring",
  one: (operation) => `notification.${operation}`,
  all: (operation) => `notifications.${operation}`,
});

export const root: Dialect = {
  namespace: "/",
  explains: true,
  pace: { events: 800, ms: 60_000 },
  read(event, payload) {
    const told = members(payload);
    if (EVENTS.has(event)) return came([notification(told)], told);
    return KNOWN.get(event)?.(told) ?? { kind: "other" };
  },
  acknowledgement: ({ id }) => ["ack", { notificationId: id }],
  key: ({ type }) => type,
};

function notification(payload: Payload): Notification {
  const display = members(payload.display);
  return {
    ...common(payload),
    id: text(members(payload.metadata).notificationId),
    type: textOrNull(payload.type),
    title: text(payload.title ?? display.title ?? payload.name),
    message: text(payload.message ?? display.message),
    severity: text(payload.severity) || "normal",
    createdAt: text(payload.createdAt),
    actionUrl: textOrNull(payload.actionUrl),
  };
}
