// Notifications of the operating system, where the person has permitted them.

import type { Client } from "./client.js";
import type { Notification } from "./words.js";

/** The part of the browser's `Notification` that is used. */
export interface NativeNotifications {
  readonly permission: string;
  new (title: string, options: { body: string; tag: string; silent: boolean; icon?: string; data: unknown }): unknown;
}

/** What is shown, and when. */
export interface NativeOptions {
  /** The browser's `Notification`; anything like it in a test. */
  readonly Notification: NativeNotifications;
  /** Whether to show this one now; by default while the page is hidden, where there is a page. */
  readonly when?: (notification: Notification) => boolean;
  /** The address of a picture. */
  readonly icon?: (notification: Notification) => string | undefined;
}

/** Shows what comes while the client is connected, not what is caught up on. Returns a function that ends it. */
export function showNatively(client: Pick<Client, "on">, options: NativeOptions): () => void {
  const { Notification: Native, when = isHidden, icon } = options;
  return client.on("notification", (one) => {
    if (Native.permission !== "granted" || one.caughtUp || !when(one)) return;
    const picture = icon?.(one);
    const data = { notificationId: one.id, url: one.actionUrl };
    const more = picture === undefined ? {} : { icon: picture };
    new Native(one.title, { body: one.message, tag: one.id, silent: one.silent, data, ...more });
  });
}

const isHidden = (): boolean => typeof document === "undefined" || document.visibilityState === "hidden";
