// A client of the collaboration document's gateway (namespace /events, token in the auth object) on the current npm
// socket.io-client: it prints a JSON line for whatever it is told. Arguments: address, token.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const [address, token] = process.argv.slice(2);
const say = (kind, value) => process.stdout.write(JSON.stringify({ kind, value }) + "\n");

const socket = io(`${address}/events`, { auth: { token }, withCredentials: true });
socket.on("connect", () => say("connect"));
socket.on("disconnect", (reason) => say("disconnect", reason));
const notifications = ["notification:new", "notification:read", "notification:all-read"];
const people = ["user:online", "user:offline", "presence:updated", "typing:user-started", "typing:user-stopped"];
for (const name of [...notifications, ...people, "connected", "error"]) socket.on(name, (data) => say(name, data));
createInterface({ input: process.stdin }).on("line", (line) => {
  const [event, argument] = line.split(/ (.*)/);
  socket.emit(event, ...(argument ? [JSON.parse(argument)] : []));
  say(event);
});
