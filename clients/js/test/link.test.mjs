// The life of a connection: how often it is tried, when it is given up, what a server's last word means.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DIALECTS } from "../dist/dialects/index.js";
import { Link } from "../dist/link.js";
import { doubling } from "../dist/reconnection.js";
import { Tokens } from "../dist/tokens.js";
import { settled, Times } from "./times.mjs";

const world = ({ namespace = "/", tokens = new Tokens("t", null) } = {}) => {
  const times = new Times();
  const said = [];
  const socket = { connected: 0, connect: () => (socket.connected += 1), disconnect() {} };
  const options = { reconnection: doubling, connectTimeoutMs: 20_000, patienceMs: 30_000, timers: times, random: () => 0.5 };
  const link = new Link(socket, DIALECTS[namespace], tokens, options, (status) => said.push(status.kind));
  return { times, said, socket, link };
};
const opened = async (given) => {
  const those = world(given);
  those.link.open();
  await settled();
  return those;
};

test("after 1, 2, 4, 8 and 16 seconds in vain it is offline, and tries on from time to time", async () => {
  const { times, said, socket, link } = await opened();
  for (const seconds of [1, 2, 4, 8, 16]) {
    const before = socket.connected;
    link.failed();
    assert.equal(times.due(), seconds * 1_000);
    await times.pass(seconds * 1_000);
    assert.equal(socket.connected, before + 1);
  }
  link.failed();
  assert.deepEqual(said.slice(-2), ["connecting", "offline"]);
  await times.pass(30_000);
  assert.equal(socket.connected, 7);
  link.failed();
  await times.pass(30_000);
  assert.equal(said.at(-1), "offline"); // it stays so until a session stands
  link.ready();
  assert.equal(said.at(-1), "online");
  link.lost(false);
  assert.equal(times.due(), 1_000);
});

test("a server that never answers has failed", async () => {
  const { times, link } = await opened();
  await times.pass(20_000);
  assert.deepEqual(link.status, { kind: "waiting", attempt: 1, ms: 1_000 });
});

test("a server that stops is left when it said, and its end is no news", async () => {
  const { times, socket, link } = await opened();
  link.ready();
  link.closing(700);
  link.lost(true);
  assert.deepEqual(link.status, { kind: "waiting", attempt: 0, ms: 700 });
  await times.pass(700);
  assert.equal(socket.connected, 2);
});

test("a last word says why a connection ended, if it ends at once", async () => {
  const { times, link } = await opened();
  link.fault({ code: "TOO_MANY_CONNECTIONS", message: "", retryMs: 4_200 });
  link.lost(true);
  assert.deepEqual(link.status, { kind: "waiting", attempt: 1, ms: 4_200 });
  await times.pass(4_200);
  link.ready();
  link.fault({ code: "RATE_LIMITED", message: "", retryMs: 60_000 });
  await times.pass(6_000);
  link.lost(false);
  assert.equal(link.status.ms, 1_000);
});

test("a refused token is asked for once more, then nothing is tried until another is brought", async () => {
  let asked = 0;
  const { socket, link } = await opened({ tokens: new Tokens(null, () => `t${(asked += 1)}`) });
  const fault = { code: "EXPIRED_TOKEN", message: "" };
  for (const count of [2, 2]) {
    link.fault(fault);
    link.lost(true);
    await settled();
    assert.equal(asked, count);
  }
  assert.deepEqual(link.status, { kind: "refused", fault });
  link.open();
  await settled();
  assert.equal(socket.connected, 3);
});

test("where nothing is explained, being put out before the session stands is a refusal; later it is a loss", async () => {
  const { link } = await opened({ namespace: "/events" });
  link.lost(true);
  assert.equal(link.status.kind, "refused");
  link.open();
  await settled();
  link.ready();
  link.lost(true);
  assert.equal(link.status.kind, "waiting");
});

test("a token that cannot be had now is like a lost connection", async () => {
  const { link } = await opened({ tokens: new Tokens(null, () => Promise.reject(new Error("away"))) });
  await settled();
  assert.deepEqual(link.status, { kind: "waiting", attempt: 1, ms: 1_000 });
});

test("hurrying does not wait for the pause; closing ends everything", async () => {
  const { times, socket, link } = await opened();
  link.failed();
  link.hurry();
  await settled();
  assert.equal(socket.connected, 2);
  link.failed();
  link.close();
  await times.pass(60_000);
  assert.deepEqual([socket.connected, link.status.kind], [2, "closed"]);
});
