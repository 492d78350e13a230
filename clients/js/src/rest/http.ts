// Calls of the gateway's HTTP routes: a bearer token, a deadline, problems as errors, and entity tags.

import { isObject } from "../position.js";
import type { Tokens } from "../tokens.js";
import type { Timers } from "../world.js";

/** A call that was refused, or could not be made (`status` 0). `code` is one of the platform's problem codes. */
export class CallFailed extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryMs: number | null;

  constructor(status: number, code: string, detail: string, retryMs: number | null = null) {
    super(detail);
    this.name = "CallFailed";
    this.status = status;
    this.code = code;
    this.retryMs = retryMs;
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

interface Known {
  readonly etag: string;
  readonly body: unknown;
}

const UNAUTHORIZED = 401;
const NOT_MODIFIED = 304;
const FIRST_FAILURE = 400;
const SECOND = 1_000;
const CURSOR = "cursor=";

/** Rejects with CallFailed. */
export class Http {
  readonly #origin: string;
  readonly #tokens: Tokens;
  readonly #fetch: typeof fetch;
  readonly #timers: Timers;
  readonly #timeoutMs: number;
  readonly #known = new Map<string, Known>();

  constructor(origin: string, tokens: Tokens, fetcher: typeof fetch, timers: Timers, timeoutMs: number) {
    this.#origin = origin;
    this.#tokens = tokens;
    this.#fetch = fetcher;
    this.#timers = timers;
    this.#timeoutMs = timeoutMs;
  }

  /** Reads; what has not changed since the last time is not sent again. */
  async get(path: string): Promise<unknown> {
    const known = this.#known.get(path);
    const answer = await this.#call("GET", path, undefined, known && { "If-None-Match": known.etag });
    if (answer.status === NOT_MODIFIED && known) return known.body;
    const etag = answer.headers.get("ETag");
    if (etag !== null && !path.includes(CURSOR)) this.#known.set(path, { etag, body: answer.body }); // others: once
    return answer.body;
  }

  /** Writes. */
  async send(method: "POST" | "DELETE", path: string, body?: unknown): Promise<unknown> {
    return (await this.#call(method, path, body)).body;
  }

  async #call(method: string, path: string, body?: unknown, more: Record<string, string> = {}): Promise<Answer> {
    const answer = await this.#ask(method, path, body, more, await this.#tokens.get());
    if (answer.status !== UNAUTHORIZED || !this.#tokens.isRenewable) return succeeded(answer);
    return succeeded(await this.#ask(method, path, body, more, await this.#tokens.renew()));
  }

  async #ask(
    method: string,
    path: string,
    body: unknown,
    more: Record<string, string>,
    token: string,
  ): Promise<Answer> {
    const abort = new AbortController();
    const cancel = this.#timers.after(this.#timeoutMs, () => abort.abort());
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = body === undefined ? {} : { "Content-Type": "application/json" };
    const headers = { ...more, ...type, Authorization: `Bearer ${token}` };
    try {
      const answer = await this.#fetch(this.#origin + path, { method, headers, signal: abort.signal, ...content });
      return { status: answer.status, headers: answer.headers, body: parsed(await answer.text()) };
    } catch (error) {
      throw new CallFailed(0, "unreachable", error instanceof Error ? error.message : "the gateway cannot be reached");
    } finally {
      cancel();
    }
  }
}

function succeeded(answer: Answer): Answer {
  if (answer.status < FIRST_FAILURE) return answer;
  const { code, detail } = isObject(answer.body) ? answer.body : {};
  const seconds = Number(answer.headers.get("Retry-After") ?? NaN);
  const retryMs = Number.isFinite(seconds) ? seconds * SECOND : null;
  throw new CallFailed(answer.status, String(code ?? "http-error"), String(detail ?? "the call was refused"), retryMs);
}

/** JSON; what is not, as from a proxy in between, is nothing. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
