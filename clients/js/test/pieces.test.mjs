// Acknowledging, subscribing, native notifications, calls, options.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Acknowledgements } from "../dist/acknowledgements.js";
import { DIALECTS } from "../dist/dialects/index.js";
import { Emitter } from "../dist/emitter.js";
import { showNatively } from "../dist/native.js";
import { settled as settledOptions } from "../dist/options.js";
import { Http } from "../dist/rest/http.js";
import { Subscriptions } from "../dist/subscriptions.js";
import { Tokens } from "../dist/tokens.js";
import { settled, Times } from "./times.mjs";

const several = (count) => [...Array(count).keys()].map((n) => ({ id: `n${n}`, payload: { recipient_id: `r${n}` } }));

test("acknowledgements keep to the pace of the namespace", async () => {
  const [times, said] = [new Times(), []];
  const queue = new Acknowledgements(DIALECTS["/ws/notifications"], times, (...one) => said.push(one));
  queue.add(several(8));
  assert.deepEqual([said.length, said[0]], [6, ["ack", { notificationId: "n0" }]]);
  await times.pass(5_000);
  assert.equal(said.length, 8);
  queue.add(several(9));
  queue.clear();
  await times.pass(60_000);
  assert.equal(said.length, 12);
});

test("the internal module's are named by recipient", () => {
  const said = [];
  new Acknowledgements(DIALECTS["/notifications"], new Times(), (...one) => said.push(one)).add(several(1));
  assert.deepEqual(said, [["notification:acknowledge", { recipient_id: "r0" }]]);
});

test("a subscription is told each new socket, and keeps out what that was sent before", () => {
  const said = [];
  const subscriptions = new Subscriptions(DIALECTS["/"], (...one) => said.push(one));
  const wants = (type) => subscriptions.wants({ type });
  subscriptions.ready();
  subscriptions.subscribe(["TASK_ASSIGNED"]);
  assert.equal(wants("other"), true); // the server has not said yet what that is
  subscriptions.answered(["task.assigned"]);
  subscriptions.ready();
  assert.deepEqual([wants("task.assigned"), wants("other")], [true, false]);
  subscriptions.subscribe(["other"]);
  assert.equal(wants("other"), true);
  subscriptions.unsubscribe(["other"]);
  subscriptions.unsubscribe([]);
  subscriptions.ready();
  assert.equal(wants("other"), true);
  const names = said.map(([event, { types }]) => [event, types]);
  assert.deepEqual(names, [
    ["subscribe", ["TASK_ASSIGNED"]],
    ["subscribe", ["TASK_ASSIGNED"]],
    ["subscribe", ["other"]],
    ["unsubscribe", ["other"]],
    ["unsubscribe", undefined],
  ]);
});

class Listened extends Emitter {
  say = (...given) => this.tell(...given);
}

test("native notifications come where they are permitted, for what is new, while nobody looks", () => {
  const [client, shown, looking] = [new Listened(), [], { now: false }];
  class Native {
    static permission = "default";
    constructor(title, { body, silent, data }) {
      shown.push([title, body, silent, data.url]);
    }
  }
  const end = showNatively(client, { Notification: Native, when: () => !looking.now });
  const one = { id: "n", title: "T", message: "M", silent: true, caughtUp: false, actionUrl: "/t/1" };
  client.say("notification", one);
  Native.permission = "granted";
  client.say("notification", one);
  client.say("notification", { ...one, caughtUp: true });
  looking.now = true;
  client.say("notification", one);
  looking.now = false;
  end();
  client.say("notification", one);
  assert.deepEqual(shown, [["T", "M", true, "/t/1"]]);
});

const answer = (status, body, headers = {}) => new Response(body === null ? null : JSON.stringify(body), { status, headers });
const http = (answers, tokens = new Tokens("old", () => "new")) => {
  const [asked, times] = [[], new Times()];
  const fetcher = async (url, { headers, method, signal }) => {
    asked.push([method, url.slice(1), headers.Authorization, headers["If-None-Match"]]);
    const next = answers.shift();
    return next ?? new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
  };
  return { asked, times, calls: new Http("/", tokens, fetcher, times, 10_000) };
};

test("a call that is not let in is made again once, with a new token", async () => {
  const { asked, calls } = http([answer(401, {}), answer(200, { a: 1 }), answer(401, {}), answer(401, { code: "unauthorized" })]);
  assert.deepEqual(await calls.get("x"), { a: 1 });
  assert.deepEqual(asked.map(([, , token]) => token), ["Bearer old", "Bearer new"]);
  await assert.rejects(calls.send("POST", "x"), { status: 401, code: "unauthorized" });
  assert.equal(asked.length, 4);
});

test("what has not changed is not sent again", async () => {
  const { asked, calls } = http([answer(200, { a: 1 }, { ETag: '"e"' }), answer(304, null)]);
  await calls.get("x");
  assert.deepEqual(await calls.get("x"), { a: 1 });
  assert.deepEqual(asked[1], ["GET", "x", "Bearer old", '"e"']);
});

test("a refused call tells its code and when to come back; one without an answer is given up", async () => {
  const problem = { code: "unavailable", detail: "please try again" };
  const { times, calls } = http([answer(503, problem, { "Retry-After": "2" })]);
  await assert.rejects(calls.get("x"), { status: 503, code: "unavailable", message: "please try again", retryMs: 2_000 });
  const waiting = assert.rejects(calls.get("x"), { status: 0, code: "unreachable" });
  await settled();
  await times.pass(10_000);
  await waiting;
});

test("a new token is asked for once by all who want it, and an option at fault is named", async () => {
  let asked = 0;
  const tokens = new Tokens(null, async () => `t${(asked += 1)}`);
  assert.deepEqual(await Promise.all([tokens.get(), tokens.get(), tokens.renew()]), ["t1", "t1", "t1"]);
  assert.equal(await tokens.renew(), "t2");
  assert.throws(() => settledOptions({ url: "https://carillon.example" }), /token or getToken/);
  assert.throws(() => settledOptions({ url: "carillon", token: "t" }), /url/);
  assert.throws(() => settledOptions({ url: "https://carillon.example", token: "t", namespace: "/x" }), /namespace/);
});

test("a listener that throws keeps nobody else from hearing, and its error comes up by itself", (context) => {
  const [emitter, heard, later] = [new Listened(), [], []];
  context.mock.method(globalThis, "queueMicrotask", (call) => later.push(call));
  emitter.on("one", () => {
    throw new Error("mine");
  });
  const off = emitter.on("one", (value) => heard.push(value));
  emitter.say("one", 1);
  off();
  emitter.say("one", 2);
  assert.deepEqual(heard, [1]);
  assert.throws(later[0], /mine/);
});
