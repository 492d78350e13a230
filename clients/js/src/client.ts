// The client, put together: a link, a stream of what it says, and the inbox.

import { io, type Socket } from "socket.io-client";
import { Acknowledgements, type Say } from "./acknowledgements.js";
import { DIALECTS } from "./dialects/index.js";
import { Emitter } from "./emitter.js";
import { Badge } from "./inbox/badge.js";
import { Inbox } from "./inbox/inbox.js";
import { Link, type Status } from "./link.js";
import { settled, type Options, type Settled } from "./options.js";
import { Polling } from "./polling.js";
import { isEmpty, type Position } from "./position.js";
import { Http } from "./rest/http.js";
import { InboxRoutes } from "./rest/inbox_routes.js";
import { Stream } from "./stream.js";
import { Subscriptions } from "./subscriptions.js";
import { Tokens } from "./tokens.js";
import type { Change, Fault, Notification, Word } from "./words.js";

/** What a client tells its listeners. */
export interface Events {
  /** Each notification once, those of a room in order. */
  notification: [Notification];
  /** What happened to the inbox, here or elsewhere. */
  change: [Change];
  status: [Status];
  /** Attempts are used up: the inbox is polled from now on. */
  offline: [];
  /** Connected, for the first time or again. */
  online: [];
  /** What is shown of the inbox must be fetched anew; `inbox` does so by itself. */
  resync: [reason: string];
  /** The token will soon be over, and there is no `getToken`: bring another by `authenticate`. */
  expiring: [];
  /** The server refused something. */
  fault: [Fault];
  /** Everything else that came: presence, typing, answers, the application's own events. */
  event: [name: string, payload: unknown];
}

/** One person's (or agent's) connection to a gateway. */
export class Client extends Emitter<Events> {
  readonly inbox: Inbox;
  readonly badge: Badge;
  readonly #tokens: Tokens;
  readonly #stream: Stream;
  readonly #socket: Socket;
  readonly #link: Link;
  readonly #polling: Polling;
  readonly #subscriptions: Subscriptions;
  readonly #acknowledgements: Acknowledgements | null;

  constructor(options: Settled) {
    super();
    const dialect = DIALECTS[options.namespace];
    const { storage, storageKey: key, timers } = options;
    this.#tokens = new Tokens(options.token ?? null, options.getToken ?? null);
    this.#stream = new Stream(dialect, storage === undefined ? null : { storage, key });
    this.#socket = this.#made(options);
    const link = { ...options, patienceMs: options.pollEveryMs };
    this.#link = new Link(this.#socket, dialect, this.#tokens, link, (status) => this.#stands(status));
    const http = new Http(options.url, this.#tokens, options.fetch, timers, options.callTimeoutMs);
    this.inbox = new Inbox(new InboxRoutes(http), timers, options, () => this.position);
    this.badge = new Badge(this.inbox, options.badge, timers, options.badgeMs);
    this.#polling = new Polling(this.inbox, this.#stream, timers, options.pollEveryMs, (one) => this.#show(one));
    const say: Say = (event, argument) => this.say(event, argument);
    this.#subscriptions = new Subscriptions(dialect, say);
    this.#acknowledgements = options.acknowledge ? new Acknowledgements(dialect, timers, say) : null;
  }

  get status(): Status {
    return this.#link.status;
  }

  /** Up to where this client has been shown its logs. */
  get position(): Position {
    return this.#stream.position;
  }

  /** Connects; `connect` has done so already. */
  open(): void {
    this.#link.open();
  }

  /** Disconnects, and tells nothing any more but this. */
  close(): void {
    this.#link.close();
    this.inbox.close();
    this.badge.close();
  }

  /** Tries again at once, if it is waiting to: for `window.addEventListener("online", …)` and the like. */
  hurry(): void {
    this.#link.hurry();
  }

  /** Goes on with this token of the same person: on the live socket, or by connecting anew. */
  authenticate(token: string): void {
    this.#tokens.set(token);
    if (this.status.kind === "online") this.say("authenticate", { token });
    else this.#link.open();
  }

  /** Narrows what comes to these types (keys or aliases of the catalogue), beside those already named. */
  subscribe(...types: string[]): void {
    this.#subscriptions.subscribe(types);
  }

  /** Takes types out again; without any, everything comes. */
  unsubscribe(...types: string[]): void {
    this.#subscriptions.unsubscribe(types);
  }

  /** Says a client event, such as `typing:start`, if a session stands; otherwise it is dropped. */
  say(event: string, ...given: unknown[]): void {
    if (this.status.kind === "online") this.#socket.emit(event, ...given);
  }

  #made({ url, namespace, transports, withCredentials, acknowledge: ack }: Settled): Socket {
    const socket = io(url + namespace, {
      autoConnect: false,
      forceNew: true,
      reconnection: false,
      transports: [...transports],
      withCredentials,
      auth: (give) => {
        void this.#tokens.get().then((token) => give({ token, ...this.#whence(), ...(ack ? { ack } : {}) }));
      },
    });
    socket.onAny((event: string, payload: unknown) => this.#hear(event, payload));
    socket.on("disconnect", (reason) => this.#link.lost(reason === "io server disconnect"));
    socket.on("connect_error", () => this.#link.failed());
    return socket;
  }

  #whence(): { position?: Position } {
    return isEmpty(this.position) ? {} : { position: this.position };
  }

  #hear(event: string, payload: unknown): void {
    const { word, arrived } = this.#stream.hear(event, payload);
    this.#obey(word);
    if (word.kind === "other") this.tell("event", event, payload);
    this.#acknowledgements?.add(arrived);
    this.#stream.keep();
  }

  #obey(word: Word): void {
    switch (word.kind) {
      case "notifications":
        return word.notifications.forEach((one) => this.#show(one));
      case "change":
        this.inbox.heard({ kind: "changed", change: word.change });
        return this.tell("change", word.change);
      case "ready":
        return this.#ready();
      case "resync":
        this.#fetch();
        return this.tell("resync", word.reason);
      case "closing":
        return this.#link.closing(word.ms);
      case "expiring":
        return this.#renew();
      case "subscribed":
        return this.#subscriptions.answered(word.types);
      case "fault":
        this.#link.fault(word.fault);
        return this.tell("fault", word.fault);
      case "other":
    }
  }

  #show(one: Notification): void {
    if (!this.#subscriptions.wants(one)) return;
    this.inbox.heard({ kind: "arrived", notification: one });
    this.tell("notification", one);
  }

  #ready(): void {
    const isNew = this.status.kind !== "online";
    this.#link.ready();
    if (!isNew) return;
    this.#subscriptions.ready();
    this.tell("online");
  }

  #stands(status: Status): void {
    if (status.kind === "online" && this.#polling.stop()) this.#fetch();
    if (status.kind === "closed" || status.kind === "refused") this.#polling.stop();
    if (status.kind !== "online") this.#acknowledgements?.clear();
    this.tell("status", status);
    if (status.kind !== "offline") return;
    this.tell("offline");
    this.#polling.start();
  }

  /** Only what somebody looks at is fetched by itself; if it fails, the next change or look does. */
  #fetch(): void {
    if (this.inbox.state.isLoaded) this.inbox.refresh().catch(() => {});
  }

  #renew(): void {
    if (!this.#tokens.isRenewable) return this.tell("expiring");
    this.#tokens.renew().then(
      (token) => this.authenticate(token),
      (error: unknown) => this.tell("fault", { code: "NO_TOKEN", message: String(error) }),
    );
  }
}

/** Connects to a gateway. Throws TypeError when an option is wrong. */
export function connect(options: Options): Client {
  const client = new Client(settled(options));
  client.open();
  return client;
}
