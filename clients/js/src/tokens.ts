// The token in use, and how a new one is had.

/** Gives a token that is valid now. */
export type GetToken = () => string | Promise<string>;

/** One token for sockets and HTTP. */
export class Tokens {
  readonly #ask: GetToken | null;
  #current: string | null;
  #asked: Promise<string> | null = null;

  constructor(current: string | null, ask: GetToken | null) {
    this.#current = current;
    this.#ask = ask;
  }

  /** Whether a new one can be asked for. */
  get isRenewable(): boolean {
    return this.#ask !== null;
  }

  /** The one in use; asks for one where there is none yet. Rejects as `getToken` does. */
  async get(): Promise<string> {
    return this.#current ?? this.renew();
  }

  /** Asks for a new one, once for all who want it now; the old one where there is nobody to ask. */
  async renew(): Promise<string> {
    if (this.#ask === null) return this.#current ?? "";
    const ask = this.#ask;
    this.#asked ??= Promise.resolve()
      .then(ask)
      .finally(() => (this.#asked = null));
    this.#current = await this.#asked;
    return this.#current;
  }

  /** Uses this one from now on. */
  set(token: string): void {
    this.#current = token;
  }
}
