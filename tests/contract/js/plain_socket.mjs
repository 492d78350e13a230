// A plain WebSocket as wscat opens it (the npm package `ws`): it prints a JSON line for each frame, and takes frames to
// send on standard input: `send {…}`. Arguments: address, token for the Authorization header (optional).
import { createInterface } from "node:readline";
import { WebSocket } from "ws";

const [address, token] = process.argv.slice(2);
const say = (kind, value) => process.stdout.write(JSON.stringify({ kind, value }) + "\n");

const socket = new WebSocket(address, token ? { headers: { Authorization: `Bearer ${token}` } } : {});
socket.on("open", () => say("open"));
socket.on("message", (text) => {
  const { event, data } = JSON.parse(text);
  say(event, data);
});
socket.on("ping", () => say("ws-ping"));
socket.on("close", (code) => say("close", code));
socket.on("error", (error) => say("failed", error.message));
createInterface({ input: process.stdin }).on("line", (line) => {
  const [command, argument] = line.split(/ (.*)/);
  if (command === "send") socket.send(argument);
  else if (command === "binary") socket.send(Buffer.from(argument));
  else if (command === "pause") socket.pause();
  say(command);
});
