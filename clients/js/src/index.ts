// The client of Carillon: notifications once and in order, and an inbox.

export { connect, type Client, type Events } from "./client.js";
export type { Namespace } from "./dialects/index.js";
export type { Badge } from "./inbox/badge.js";
export type { Inbox } from "./inbox/inbox.js";
export type { State } from "./inbox/state.js";
export type { Status } from "./link.js";
export { showNatively, type NativeNotifications, type NativeOptions } from "./native.js";
export type { Options } from "./options.js";
export type { Place, Position } from "./position.js";
export { doubling, growing, spread, type Reconnection } from "./reconnection.js";
export { CallFailed } from "./rest/http.js";
export type { Action, Counts, Item } from "./rest/inbox_routes.js";
export type { Change, Fault, Notification, Operation, WideOperation } from "./words.js";
export type { Random, Storage, Timers } from "./world.js";
