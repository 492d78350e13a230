// The client of the internal-module document on the current npm socket.io-client. A page would give io("/notifications")
// its own origin; here the address stands before it. `reconnect` and `reconnect_failed` are events of the manager.
// It prints a JSON line for whatever it is told. Arguments: address, token as it stands in the auth object.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const [address, token] = process.argv.slice(2);
const say = (kind, value) => process.stdout.write(JSON.stringify({ kind, value }) + "\n");

const socket = io(`${address}/notifications`, {
  transports: ["websocket", "polling"],
  auth: { token },
  reconnection: true,
  reconnectionAttempts: 5,
  reconnectionDelay: 1000,
  reconnectionDelayMax: 5000,
  randomizationFactor: 0.5,
});
socket.on("connect", () => say("connect", socket.id));
socket.on("disconnect", (reason) => say("disconnect", reason));
socket.on("connect_error", (error) => {
  say("connect_error", error.message);
  if (error.message === "Server error") setTimeout(() => socket.connect(), 500); // the document waits 5 seconds
});
socket.io.on("reconnect", (attempt) => say("reconnect", attempt));
for (const name of ["authenticated", "auth_error", "error", "pong", "notification:acknowledged"]) {
  socket.on(name, (data) => say(name, data));
}
for (const name of ["notification:read", "notification:unread", "notifications:read_all"]) {
  socket.on(name, (data) => say(name, data));
}
socket.on("notification:new", (data) => {
  socket.emit("notification:acknowledge", { recipient_id: data.recipient_id });
  say("notification:new", { ...data, image: `/icons/${data.type.icon}.png` });
});
socket.on("notification:batch", (data) => {
  const { notifications, unread_count } = data;
  say("notification:batch", { titles: notifications.map((one) => one.title), unread_count });
});
createInterface({ input: process.stdin }).on("line", (line) => {
  const [event, argument] = line.split(/ (.*)/);
  socket.emit(event, ...(argument ? [JSON.parse(argument)] : []));
  say(event);
});
