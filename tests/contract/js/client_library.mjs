// The client library, driven by its contract tests: it prints a JSON line for whatever it is told, and takes commands
// on standard input. Argument: its options as JSON; `tokens` are what getToken gives one after the other, `attempts`
// and `pauseMs` a reconnection, `kept` a file to keep the position in.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { connect, growing, showNatively } from "../../../clients/js/dist/index.js";

const { tokens, attempts = 1_000, pauseMs = 100, kept, ...options } = JSON.parse(process.argv[2]);
const say = (kind, value) => process.stdout.write(JSON.stringify({ kind, value }) + "\n");

const read = () => {
  try {
    return readFileSync(kept, "utf8");
  } catch {
    return null;
  }
};
const write = (_key, value) => {
  writeFileSync(`${kept}.new`, value);
  renameSync(`${kept}.new`, kept); // so that a process that is killed leaves the old one or the new one
};
const storage = kept && { getItem: read, setItem: write };
const getToken = tokens && (() => (say("asked", tokens.length), tokens.length > 1 ? tokens.shift() : tokens[0]));
const reconnection = growing(pauseMs, pauseMs, 0, attempts);
const client = connect({ ...options, reconnection, ...(storage && { storage }), ...(getToken && { getToken }) });

client.on("notification", (one) => {
  const { id, type, title, data, caughtUp } = one;
  say("notification", { id, type, title, n: data?.n, caughtUp });
});
client.on("change", (change) => say("change", change));
client.on("status", (status) => say("status", status));
for (const name of ["offline", "online", "resync", "expiring", "fault"]) client.on(name, (value) => say(name, value));
client.on("event", (name, payload) => say(`event ${name}`, payload));
client.inbox.on("change", ({ items, unread, unseen, nextCursor }) => {
  say("inbox", { items: items.map(({ id, read, seen }) => ({ id, read, seen })), unread, unseen, more: nextCursor !== null });
});
client.badge.on("change", (value) => say("badge", value));
class Native {
  static permission = "granted";
  constructor(title, more) {
    say("native", { title, ...more });
  }
}
showNatively(client, { Notification: Native });

const done = async (work) => {
  try {
    await work;
    return "ok";
  } catch ({ name, status, code }) {
    return { name, status, code };
  }
};
const commands = {
  refresh: () => done(client.inbox.refresh()),
  more: () => done(client.inbox.more()),
  act: ([id, action]) => done(client.inbox.act(id, action)),
  all: (operation) => done(client.inbox.all(operation)),
  snooze: ([id, until]) => done(client.inbox.snooze(id, until)),
  subscribe: (types) => client.subscribe(...types),
  unsubscribe: (types) => client.unsubscribe(...types),
  authenticate: (token) => client.authenticate(token),
  emit: (said) => client.say(...said),
  position: () => client.position,
  close: () => client.close(),
};
createInterface({ input: process.stdin }).on("line", async (line) => {
  const [command, argument] = line.split(/ (.*)/);
  say(command, (await commands[command](argument ? JSON.parse(argument) : undefined)) ?? null);
});
