// What `connect` is given, and what it takes where nothing is given.

import { DIALECTS, type Namespace } from "./dialects/index.js";
import { spread, type Reconnection } from "./reconnection.js";
import type { GetToken } from "./tokens.js";
import { realTimers, type Random, type Storage, type Timers } from "./world.js";

/** Times are milliseconds. */
export interface Options {
  /** The gateway's origin, for example `https://carillon.example`. */
  readonly url: string;
  /** A token, or a way to get one; with a way, tokens are renewed before they end. */
  readonly token?: string;
  readonly getToken?: GetToken;
  /** The Socket.IO namespace, which names the dialect; `/` by default. */
  readonly namespace?: Namespace;
  /** Where the position is kept, so that another start goes on from it, and under which key. */
  readonly storage?: Storage;
  readonly storageKey?: string;
  /** Acknowledge each notification, and be sent again what was not acknowledged. */
  readonly acknowledge?: boolean;
  /** When a lost connection is tried again: `spread` (by default), `doubling`, or one made by `growing`. */
  readonly reconnection?: Reconnection;
  /** Between looks at the inbox, and attempts to connect, while there is no socket. */
  readonly pollEveryMs?: number;
  /** What a connection, or a call, may take. */
  readonly connectTimeoutMs?: number;
  readonly callTimeoutMs?: number;
  /** Of the inbox: items of a page, and which count is on the badge. */
  readonly pageSize?: number;
  readonly badge?: "unseen" | "unread";
  /** How changes are collected before the counts are fetched again, and before the badge changes. */
  readonly recountMs?: number;
  readonly badgeMs?: number;
  /** Socket.IO's transports; `["websocket", "polling"]` by default. */
  readonly transports?: readonly ("websocket" | "polling")[];
  /** Send cookies, as some proxies need to keep a polling client with its gateway. */
  readonly withCredentials?: boolean;
  readonly fetch?: typeof fetch;
  readonly timers?: Timers;
  readonly random?: Random;
}

/** Options of which none is missing but those that may be. */
export type Settled = Required<Omit<Options, "token" | "getToken" | "storage" | "storageKey">> &
  Pick<Options, "token" | "getToken" | "storage"> & { readonly storageKey: string };

/** Throws TypeError, naming the option, when one is wrong. */
export function settled(given: Options): Settled {
  if (given.token === undefined && given.getToken === undefined) throw new TypeError("token or getToken is needed");
  if (!URL.canParse(given.url)) throw new TypeError("url: the gateway's origin is needed");
  const namespace = given.namespace ?? "/";
  if (!(namespace in DIALECTS)) throw new TypeError(`namespace: one of ${Object.keys(DIALECTS).join(" ")} is needed`);
  return {
    acknowledge: false,
    reconnection: spread,
    pollEveryMs: 30_000,
    connectTimeoutMs: 20_000,
    callTimeoutMs: 10_000,
    pageSize: 20,
    badge: "unseen",
    recountMs: 200,
    badgeMs: 300,
    transports: ["websocket", "polling"],
    withCredentials: false,
    fetch: (...call) => globalThis.fetch(...call),
    timers: realTimers,
    random: Math.random,
    storageKey: `carillon:${namespace}`,
    ...given,
    namespace,
    url: given.url.replace(/\/+$/, ""),
  };
}
