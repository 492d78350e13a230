// A client as the event-flows document describes it, on the current npm socket.io-client: it prints a JSON line for
// whatever it is told, and takes commands on standard input. Arguments: address, token, transports (optional).
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const [address, token, transports] = process.argv.slice(2);
const say = (kind, value) => process.stdout.write(JSON.stringify({ kind, value }) + "\n");

const options = { extraHeaders: { Authorization: `Bearer ${token}` } };
const socket = io(address, transports ? { ...options, transports: transports.split(",") } : options);

socket.on("connect", () => say("connect", socket.io.engine.transport.name));
socket.io.engine?.on("upgrade", (transport) => say("upgrade", transport.name));
socket.on("connected", (data) => say("connected", { userId: data.userId, rooms: data.rooms }));
socket.on("error", (error) => say("error", error));
socket.on("disconnect", (reason) => say("disconnect", reason));

// What the document's handlers take out of each event.
socket.on("system.notification", (n) => {
  const { title, message, severity, metadata } = n;
  say("system.notification", { title, message, severity, ctaUrl: n.data?.ctaUrl, id: metadata.notificationId });
});
socket.on("service.event", (e) => say("service.event", { name: e.name, data: e.data, id: e.metadata.notificationId }));
socket.on("service.alert", (alert) => {
  const { title, message, severity, metadata } = alert;
  say("service.alert", { title, message, severity, actions: alert.data?.actions || [], id: metadata.notificationId });
});
socket.on("agent.event", (e) => {
  const { title, message, data, name: action, metadata } = e;
  say("agent.event", { agentId: metadata.agentId, action, title, message, progress: data?.progress, data });
});
for (const name of ["notification.read", "notification.deleted"]) socket.on(name, (data) => say(name, data));

const call = async (path, method = "GET") => {
  const answer = await fetch(`${address}/api/notifications${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}` },
  });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null };
};
const commands = {
  read: (id) => call(`/${id}/read`, "PATCH"),
  delete: (id) => call(`/${id}`, "DELETE"),
  history: (filters) => call(`?${new URLSearchParams(JSON.parse(filters))}`),
  unread: async () => (await call("/unread-count")).body.count,
  end: async () => process.exit(0),
};
createInterface({ input: process.stdin }).on("line", async (line) => {
  const [command, argument] = line.split(/ (.*)/);
  say(command, await commands[command](argument));
});
