// When a lost connection is tried again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { after, doubling, spread } from "../dist/reconnection.js";

const pauses = (reconnection, random) =>
  [...Array(reconnection.attempts).keys()].map((attempt) => reconnection.pause(attempt, () => random));
const situation = { attempt: 0, reconnection: doubling, patience: 30_000, renewable: true };
const fault = { code: "UNAUTHORIZED", message: "" };

test("pages try five times, after 1 to 5 seconds, spread by half", () => {
  assert.deepEqual(pauses(spread, 0.5), [1_000, 2_000, 4_000, 5_000, 5_000]);
  assert.deepEqual(pauses(spread, 0), [500, 1_000, 2_000, 2_500, 2_500]);
  assert.deepEqual(pauses(spread, 1), [1_500, 3_000, 5_000, 5_000, 5_000]);
});

test("doubling tries five times, after 1, 2, 4, 8 and 16 seconds", () => {
  for (const random of [0, 0.5, 0.999]) assert.deepEqual(pauses(doubling, random), [1_000, 2_000, 4_000, 8_000, 16_000]);
});

test("after the last attempt the client is offline, and tries on rarely", () => {
  assert.deepEqual(after({ kind: "lost" }, { ...situation, attempt: 4 }, () => 0.5), { kind: "wait", ms: 16_000 });
  assert.deepEqual(after({ kind: "lost" }, { ...situation, attempt: 5 }, () => 0.5), { kind: "offline", ms: 30_000 });
});

test("a pause that the server asks for is kept; a long one is spent offline", () => {
  assert.deepEqual(after({ kind: "told", ms: 700 }, situation, () => 0), { kind: "wait", ms: 700 });
  assert.deepEqual(after({ kind: "told", ms: 60_000 }, situation, () => 0), { kind: "offline", ms: 60_000 });
});

test("a refused token is renewed where it can be, else nothing is tried again", () => {
  assert.deepEqual(after({ kind: "refused", fault }, situation, () => 0), { kind: "renew" });
  assert.deepEqual(after({ kind: "refused", fault }, { ...situation, renewable: false }, () => 0), { kind: "stop", fault });
});
