// The inbox: merged with what comes, changed at once, rolled back, counted anew where it cannot be told.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Badge } from "../dist/inbox/badge.js";
import { Inbox } from "../dist/inbox/inbox.js";
import { settled, Times } from "./times.mjs";

const item = (n, more = {}) => ({
  id: `n${n}`, createdAt: `2026-01-01T00:00:0${n}Z`, place: { room: "user:a", epoch: 1, seq: n }, read: false, seen: false, ...more,
});
const arrived = (n) => ({ kind: "arrived", notification: item(n) });
const change = (operation, id) => ({ kind: "changed", change: { operation, id } });

/** Answers calls when it is told to. */
class Routes {
  calls = [];
  answer(name, value) {
    const place = this.calls.findIndex((call) => call.name === name);
    const [call] = this.calls.splice(place, 1);
    value instanceof Error ? call.reject(value) : call.resolve(value);
    return settled();
  }
  names = () => this.calls.map(({ name }) => name);
  #call = (name, ...given) => new Promise((resolve, reject) => this.calls.push({ name, given, resolve, reject }));
  page = (...given) => this.#call("page", ...given);
  counts = () => this.#call("counts");
  act = (...given) => this.#call("act", ...given);
  snooze = (...given) => this.#call("snooze", ...given);
  move = (...given) => this.#call("move", ...given);
}

const made = async (numbers = [2, 1], nextCursor = null) => {
  const [routes, times] = [new Routes(), new Times()];
  const inbox = new Inbox(routes, times, { pageSize: 2, recountMs: 200 }, () => ({ state: [1, 9] }));
  const told = [];
  inbox.on("change", (state) => told.push(state));
  inbox.refresh();
  await routes.answer("page", { items: numbers.map((n) => item(n)), nextCursor });
  await routes.answer("counts", { unread: numbers.length, unseen: numbers.length });
  return { routes, times, inbox, told };
};
const ids = ({ state }) => state.items.map(({ id }) => id);
const counts = ({ state }) => [state.unread, state.unseen];

test("what is done is shown at once, and taken back when it is refused, whatever came meanwhile", async () => {
  const { routes, inbox } = await made();
  const failing = assert.rejects(inbox.act("n1", "read"), /refused/);
  assert.deepEqual(counts(inbox), [1, 1]);
  inbox.heard(arrived(3));
  assert.deepEqual([ids(inbox), counts(inbox)], [["n3", "n2", "n1"], [2, 2]]);
  await routes.answer("act", new Error("refused"));
  await failing;
  assert.deepEqual([counts(inbox), inbox.state.items[2].read], [[3, 3], false]);
});

test("what is told by the socket as well has no second effect", async () => {
  const { routes, inbox } = await made();
  const doing = inbox.act("n1", "deleted");
  inbox.heard(change("deleted", "n1"));
  await routes.answer("act");
  await doing;
  inbox.heard(change("deleted", "n1"));
  inbox.heard(arrived(2));
  assert.deepEqual([ids(inbox), counts(inbox)], [["n2"], [1, 1]]);
});

test("another device's later word counts, even when our answer comes after it", async () => {
  const { routes, inbox } = await made();
  const doing = inbox.act("n1", "read");
  inbox.heard(change("read", "n1"));
  inbox.heard(change("unread", "n1"));
  await routes.answer("act");
  await doing;
  assert.deepEqual([counts(inbox), inbox.state.items[1].read], [[2, 1], false]);
});

test("what comes while the list is fetched is not lost, and the counts are asked again", async () => {
  const { routes, times, inbox } = await made();
  inbox.refresh();
  inbox.heard(arrived(4));
  inbox.heard(change("read", "n2"));
  await routes.answer("page", { items: [item(3), item(2)], nextCursor: "c" });
  await routes.answer("counts", { unread: 4, unseen: 4 });
  assert.deepEqual([ids(inbox), inbox.state.items[2].read], [["n4", "n3", "n2"], true]);
  await times.pass(200);
  await routes.answer("counts", { unread: 3, unseen: 3 });
  assert.deepEqual(counts(inbox), [3, 3]);
  assert.deepEqual(routes.names(), []);
});

test("all is done up to what has come here, and counted by what is loaded until the counts have come", async () => {
  const { routes, times, inbox } = await made([3, 2], "c");
  const doing = inbox.all("read_all");
  assert.deepEqual(routes.calls[0].given, ["read_all", { "user:a": [1, 3] }]);
  inbox.heard(arrived(4));
  assert.deepEqual([counts(inbox), inbox.state.items.map(({ read }) => read)], [[1, 1], [false, true, true]]);
  await routes.answer("move", { operation: "read_all", positions: { "user:a": 3 } });
  await doing;
  await times.pass(200);
  await routes.answer("counts", { unread: 1, unseen: 1 });
  assert.deepEqual(counts(inbox), [1, 1]);
});

test("older pages follow; what stands on one that is not loaded is only counted, and then counted anew", async () => {
  const { routes, times, inbox } = await made([5, 4], "c");
  inbox.heard(arrived(1));
  assert.deepEqual([ids(inbox), counts(inbox)], [["n5", "n4"], [3, 3]]);
  await times.pass(200);
  await routes.answer("counts", { unread: 2, unseen: 2 });
  const more = inbox.more();
  await routes.answer("page", { items: [item(4), item(1)], nextCursor: null });
  await more;
  assert.deepEqual([ids(inbox), counts(inbox)], [["n5", "n4", "n1"], [2, 2]]);
  await inbox.more();
  assert.deepEqual(routes.names(), []);
});

test("what comes back from the archive is fetched; what happens to one that is not loaded is counted", async () => {
  const { routes, times, inbox } = await made();
  inbox.heard(change("read", "n9"));
  await times.pass(200);
  assert.deepEqual(routes.names(), ["counts"]);
  await routes.answer("counts", { unread: 1, unseen: 1 });
  inbox.heard(change("unarchived", "n9"));
  assert.deepEqual(routes.names(), ["page", "counts"]);
});

test("the badge changes when changes have paused for 300 ms, and is hidden at 0", async () => {
  const { times, inbox } = await made([]);
  const badge = new Badge(inbox, "unseen", times);
  const told = [];
  badge.on("change", (value) => told.push(value));
  inbox.heard(arrived(1));
  await times.pass(299);
  inbox.heard(arrived(2));
  await times.pass(299);
  assert.deepEqual(told, []);
  await times.pass(1);
  inbox.heard(change("read", "n1"));
  inbox.heard(change("deleted", "n2"));
  await times.pass(300);
  assert.deepEqual([told, badge.value], [[2, null], null]);
});
