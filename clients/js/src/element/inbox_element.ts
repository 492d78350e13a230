// <carillon-inbox>: bell, badge, popover and toasts, for pages of any framework or none.

import type { Client } from "../client.js";
import type { State } from "../inbox/state.js";
import type { Item } from "../rest/inbox_routes.js";
import { ENGLISH, MARKUP, type Texts } from "./look.js";

const TOAST_MS = 5_000;

/**
 * Give it a `client`. Before it follows the address of a notification it tells `carillon-open` (detail: the item),
 * which can be prevented. What notifications hold is shown as text, never as markup.
 */
export class InboxElement extends HTMLElement {
  readonly #root = this.attachShadow({ mode: "open" });
  #client: Client | null = null;
  #texts: Texts = ENGLISH;
  #leave: (() => void)[] = [];

  constructor() {
    super();
    this.#root.innerHTML = MARKUP;
    this.#part("bell").addEventListener("click", () => this.toggle());
    this.#part("read-all").addEventListener("click", () => this.#do((client) => client.inbox.all("read_all")));
    this.#part("older").addEventListener("click", () => this.#do((client) => client.inbox.more()));
    this.addEventListener("keydown", ({ key }) => key === "Escape" && this.toggle(false));
    this.#say();
  }

  /** Whose inbox it shows. */
  set client(client: Client | null) {
    this.#unfollow();
    this.#client = client;
    if (this.isConnected) this.#follow();
  }

  get client(): Client | null {
    return this.#client;
  }

  /** What it says, in part or whole. */
  set texts(texts: Partial<Texts>) {
    this.#texts = { ...ENGLISH, ...texts };
    this.#say();
  }

  connectedCallback(): void {
    this.#follow();
  }

  disconnectedCallback(): void {
    this.#unfollow();
  }

  /** Opens or closes the popover. Who opens it has seen what is there, so that the badge goes. */
  toggle(isOpen: boolean = this.#part("popover").hidden === true): void {
    this.#part("popover").hidden = !isOpen;
    this.#part("bell").setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) this.#part("bell").focus();
    else if ((this.#client?.inbox.state.unseen ?? 0) > 0) this.#do((client) => client.inbox.all("seen"));
  }

  #follow(): void {
    const client = this.#client;
    if (client === null || this.#leave.length > 0) return;
    const outside = (event: Event): void => {
      if (!event.composedPath().includes(this) && !this.#part("popover").hidden) this.toggle(false);
    };
    document.addEventListener("click", outside);
    this.#leave = [
      client.inbox.on("change", (state) => this.#show(state)),
      client.badge.on("change", (number) => this.#count(number)),
      client.on("notification", (one) => one.caughtUp || this.#toast(one.title, one.message)),
      client.on("online", () => this.#load()),
      () => document.removeEventListener("click", outside),
    ];
    this.#show(client.inbox.state);
    this.#count(client.badge.value);
    this.#load();
  }

  /** The first time; if it fails, the next connection tries again. */
  #load(): void {
    if (this.#client?.inbox.state.isLoaded === false) this.#client.inbox.refresh().catch(() => {});
  }

  #unfollow(): void {
    for (const leave of this.#leave) leave();
    this.#leave = [];
  }

  #show(state: State): void {
    this.#part("list").replaceChildren(...state.items.map((item) => this.#row(item)));
    this.#part("empty").hidden = state.items.length > 0 || !state.isLoaded;
    this.#part("read-all").hidden = state.unread === 0;
    this.#part("older").hidden = state.nextCursor === null;
  }

  #row(item: Item): HTMLElement {
    const [row, open, remove] = [made("li"), made("button"), made("button", "×")];
    row.className = item.read ? "read" : "unread";
    open.append(made("strong", item.title), item.message, made("small", new Date(item.createdAt).toLocaleString()));
    open.addEventListener("click", () => this.#open(item));
    remove.setAttribute("aria-label", this.#texts.remove);
    remove.addEventListener("click", () => this.#do((client) => client.inbox.act(item.id, "deleted")));
    row.append(open, remove);
    return row;
  }

  #open(item: Item): void {
    if (!item.read) this.#do((client) => client.inbox.act(item.id, "read"));
    const isWanted = this.dispatchEvent(new CustomEvent("carillon-open", { detail: item, cancelable: true }));
    const { actionUrl } = item;
    if (!isWanted || actionUrl === null || !URL.canParse(actionUrl, document.baseURI)) return;
    const address = new URL(actionUrl, document.baseURI);
    if (/^https?:$/.test(address.protocol)) location.assign(address); // not `javascript:`
  }

  #count(number: number | null): void {
    this.#part("badge").hidden = number === null;
    this.#part("badge").textContent = number === null ? "" : String(number);
  }

  #toast(title: string, message = ""): void {
    const toast = made("div", message);
    toast.setAttribute("part", "toast");
    toast.prepend(made("strong", title));
    this.#part("toasts").append(toast);
    setTimeout(() => toast.remove(), TOAST_MS);
  }

  /** The inbox takes back by itself what is refused; the person is told that it was. */
  #do(work: (client: Client) => Promise<void>): void {
    if (this.#client) work(this.#client).catch(() => this.#toast(this.#texts.failed));
  }

  #say(): void {
    const { title, readAll, empty, older } = this.#texts;
    this.#part("bell").setAttribute("aria-label", title);
    this.#part("popover").setAttribute("aria-label", title);
    this.#part("popover").querySelector("h2")!.textContent = title;
    for (const [part, text] of [["read-all", readAll], ["empty", empty], ["older", older]] as const) {
      this.#part(part).textContent = text;
    }
  }

  #part(name: string): HTMLElement {
    return this.#root.querySelector<HTMLElement>(`[part=${name}]`)!;
  }
}

function made(kind: string, text = ""): HTMLElement {
  const element = document.createElement(kind);
  element.textContent = text;
  return element;
}

customElements.define("carillon-inbox", InboxElement);
