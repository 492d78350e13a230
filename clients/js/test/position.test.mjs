// Positions: what counts as shown, and where a session goes on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { begun, isShown, moved, parsed, positionIn } from "../dist/position.js";

test("a position is read from an entry, from a change and from resync, and from nothing else", () => {
  assert.deepEqual(positionIn({ position: { room: "user:a", epoch: 3, seq: 7 } }), { "user:a": [3, 7] });
  assert.deepEqual(positionIn({ position: { state: [1, 2], "org:o": [4, 5] } }), { state: [1, 2], "org:o": [4, 5] });
  for (const wrong of [null, 1, {}, { position: 1 }, { position: { state: [1] } }, { position: { state: ["a", 2] } }]) {
    assert.equal(positionIn(wrong), null);
  }
});

test("only an entry that is not behind in its own epoch is new", () => {
  const position = { "user:a": [3, 7] };
  assert.equal(isShown(position, { "user:a": [3, 7] }), true);
  assert.equal(isShown(position, { "user:a": [3, 8] }), false);
  assert.equal(isShown(position, { "user:a": [4, 1] }), false);
  assert.equal(isShown(position, { "org:o": [3, 1] }), false);
  assert.deepEqual(moved(position, { state: [1, 1] }), { "user:a": [3, 7], state: [1, 1] });
});

test("a session that stands adds new logs and takes left ones out; what it has it keeps until resync", () => {
  const position = { "user:a": [3, 7], "org:left": [1, 1], "org:renewed": [1, 9] };
  const ready = { "user:a": [3, 7], "org:joined": [5, 2], "org:renewed": [2, 4] };
  assert.deepEqual(begun(position, ready), { "user:a": [3, 7], "org:joined": [5, 2], "org:renewed": [1, 9] });
  assert.deepEqual(begun({}, ready), {});
});

test("a kept position that is none is taken for none", () => {
  assert.deepEqual(parsed('{"state":[1,2]}'), { state: [1, 2] });
  for (const wrong of [null, "", "no", "[]", "3", '{"state":"x"}']) assert.deepEqual(parsed(wrong), {});
});
