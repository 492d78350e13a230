// What the server says is shown once, in order, whatever is repeated, however it comes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DIALECTS } from "../dist/dialects/index.js";
import { Stream } from "../dist/stream.js";

const ROOM = "user:a";
const entry = (seq, more = {}) => ({
  title: `t${seq}`, metadata: { notificationId: `n${seq}` }, position: { room: ROOM, epoch: 1, seq }, ...more,
});
const shown = (heard) => (heard.word.kind === "notifications" ? heard.word.notifications.map(({ id }) => id) : null);
const at = (seq) => ({ state: [1, 0], [ROOM]: [1, seq] });
const kept = (position = null) => {
  const items = new Map(position === null ? [] : [["k", JSON.stringify(position)]]);
  return { items, getItem: (key) => items.get(key) ?? null, setItem: (key, value) => items.set(key, value) };
};
const resumed = (seq) => new Stream(DIALECTS["/"], { storage: kept(at(seq)), key: "k" });
const hears = (stream, ...entries) => entries.flatMap((one) => shown(stream.hear("system.notification", one)));

test("entries move the position on, and repeats are dropped", () => {
  const stream = resumed(1);
  assert.deepEqual(hears(stream, entry(1), entry(2), entry(2), entry(3), entry(2)), ["n2", "n3"]);
  assert.deepEqual(stream.position[ROOM], [1, 3]);
});

test("without a position the newest are shown once, even when the connection breaks before resync", () => {
  const stream = new Stream(DIALECTS["/"]);
  stream.hear("connected", { position: at(9) });
  assert.deepEqual(hears(stream, entry(8), entry(9)), ["n8", "n9"]);
  assert.deepEqual(stream.position, {});
  stream.hear("connected", { position: at(10) });
  const again = stream.hear("system.notification", entry(10));
  assert.equal(again.word.notifications[0].caughtUp, true);
  assert.deepEqual(hears(stream, entry(8), entry(9), entry(10)), []);
  stream.hear("resync", { reason: "no-position", position: at(10) });
  assert.deepEqual(stream.position, at(10));
  assert.deepEqual(hears(stream, entry(10), entry(11)), ["n11"]);
});

test("resync takes the position back or forth", () => {
  const stream = resumed(50);
  stream.hear("connected", { position: at(3) });
  assert.deepEqual(stream.hear("resync", { reason: "ahead", position: at(3) }).word, { kind: "resync", reason: "ahead" });
  assert.deepEqual(hears(stream, entry(4)), ["n4"]);
});

test("what is sent again has arrived, and is not shown again", () => {
  const heard = resumed(5).hear("system.notification", entry(5, { position: undefined, redelivered: true }));
  assert.deepEqual(shown(heard), []);
  assert.deepEqual(heard.arrived.map(({ id }) => id), ["n5"]);
});

test("changes of the inbox are told once", () => {
  const stream = resumed(0);
  const read = (seq) => ({ notificationId: "n1", readAt: "", position: { state: [1, seq] } });
  assert.deepEqual(stream.hear("notification.read", read(1)).word.change, { operation: "read", id: "n1" });
  assert.equal(stream.hear("notification.read", read(1)).word.kind, "other");
  assert.deepEqual(stream.position.state, [1, 1]);
});

test("what polling has found does not come again by a socket, nor the other way round", () => {
  const stream = resumed(1);
  const rows = (...seqs) => seqs.map((seq) => ({ id: `n${seq}`, place: { room: ROOM, epoch: 1, seq } }));
  const found = (...seqs) => stream.find(rows(...seqs)).map(({ id }) => id);
  assert.deepEqual(found(3, 2, 1), ["n2", "n3"]);
  assert.deepEqual(found(4, 3, 2, 1), ["n4"]);
  assert.deepEqual(hears(stream, entry(2), entry(3), entry(4), entry(5)), ["n5"]);
  assert.deepEqual(found(5, 4), []);
  assert.equal(stream.isAhead({ place: { room: ROOM, epoch: 2, seq: 9 } }), false);
});

test("after resync what polling found behind it is forgotten, and what it found ahead is not", () => {
  const stream = resumed(1);
  stream.find([{ id: "n7", place: { room: ROOM, epoch: 1, seq: 7 } }]);
  stream.hear("resync", { position: at(6) });
  assert.deepEqual(hears(stream, entry(7), entry(8)), ["n8"]);
});

test("the position is written down and found again", () => {
  const storage = kept();
  const stream = new Stream(DIALECTS["/"], { storage, key: "k" });
  stream.keep();
  assert.equal(storage.items.size, 0);
  stream.hear("resync", { position: at(4) });
  stream.keep();
  assert.deepEqual(new Stream(DIALECTS["/"], { storage, key: "k" }).position, at(4));
});
