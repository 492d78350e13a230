// The dialects by namespace.

import { collaboration } from "./collaboration.js";
import type { Dialect } from "./dialect.js";
import { internal } from "./internal.js";
import { marketplace } from "./marketplace.js";
import { root } from "./root.js";

export const DIALECTS = {
  "/": root,
  "/notifications": internal,
  "/events": collaboration,
  "/ws/notifications": marketplace,
} as const satisfies Record<string, Dialect>;

/** A namespace of the gateway, which is also the name of its dialect. */
export type Namespace = keyof typeof DIALECTS;
