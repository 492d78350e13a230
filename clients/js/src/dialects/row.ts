// A notification whose members stand on one level.

import type { Notification } from "../words.js";
import { common, text, textOrNull, type Payload } from "./dialect.js";

/** A notification whose members are on its first level, on `/events`, `/ws/notifications`, and in the inbox over HTTP. */
export function row(payload: Payload): Notification {
  return {
    ...common(payload),
    id: text(payload.id),
    type: textOrNull(payload.type),
    title: text(payload.title ?? payload.name),
    message: text(payload.message),
    severity: text(payload.severity) || "normal",
    createdAt: text(payload.createdAt),
    actionUrl: textOrNull(payload.actionUrl),
  };
}
