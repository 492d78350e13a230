// When a lost connection is tried again: decisions as values. Pure.

import type { Fault } from "./words.js";
import type { Random } from "./world.js";

/** How often, and after which pause in milliseconds, a lost connection is tried again. `attempt` counts from 0. */
export interface Reconnection {
  readonly attempts: number;
  pause(attempt: number, random: Random): number;
}

/** Pauses that double from `first` to `longest`, each spread by chance to both sides by the share `spread`. */
export function growing(first: number, longest: number, spread: number, attempts = 5): Reconnection {
  return {
    attempts,
    pause(attempt, random) {
      const pause = Math.min(first * 2 ** attempt, longest);
      return Math.min(longest, Math.round(pause * (1 + spread * (2 * random() - 1))));
    },
  };
}

/** Five attempts, 1 to 5 seconds, spread by half: what pages use. */
export const spread: Reconnection = growing(1_000, 5_000, 0.5);

/** Five attempts, after 1, 2, 4, 8 and 16 seconds. */
export const doubling: Reconnection = growing(1_000, 16_000, 0);

/** How a connection, or the attempt to make one, ended. `ms`: the server said when to come back. */
export type End =
  | { readonly kind: "lost" }
  | { readonly kind: "told"; readonly ms: number }
  | { readonly kind: "refused"; readonly fault: Fault };

/** What is done about it. `offline`: the attempts are used up, or the wait is long; tried again after `ms` all the same. */
export type Next =
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "offline"; readonly ms: number }
  | { readonly kind: "renew" }
  | { readonly kind: "stop"; readonly fault: Fault };

/** What is known when a connection ended. `patience` is the longest wait, in ms, before a client counts as offline. */
export interface Situation {
  readonly attempt: number;
  readonly reconnection: Reconnection;
  readonly patience: number;
  readonly renewable: boolean;
}

/** Decides. A refused token is renewed once where it can be; without a better one nothing is tried again. */
export function after(end: End, now: Situation, random: Random): Next {
  if (end.kind === "refused") return now.renewable ? { kind: "renew" } : { kind: "stop", fault: end.fault };
  const told = end.kind === "told" ? end.ms : 0;
  if (now.attempt >= now.reconnection.attempts || told > now.patience) {
    return { kind: "offline", ms: Math.max(told, Math.round(now.patience * (0.75 + random() / 2))) };
  }
  return { kind: "wait", ms: end.kind === "told" ? told : now.reconnection.pause(now.attempt, random) };
}
