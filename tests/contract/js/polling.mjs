// A client behind a proxy in front of several gateways: it prints a JSON line for whatever it is told. Arguments: address,
// token, transports, and whether it keeps the proxy's cookie (yes or no).
import { io } from "socket.io-client";

const [address, token, transports, cookies] = process.argv.slice(2);
const say = (kind, value) => process.stdout.write(JSON.stringify({ kind, value }) + "\n");

const socket = io(address, {
  auth: { token },
  withCredentials: cookies === "yes",
  reconnection: false,
  ...(transports === "default" ? {} : { transports: transports.split(",") }),
});
const told = (error) => ({ message: error.message, status: error.description, body: error.context?.responseText });

socket.on("connected", () => {
  say("connected", socket.io.engine.transport.name);
  socket.io.engine.on("upgrade", (transport) => say("upgrade", transport.name));
  if (socket.io.engine.transport.name === "websocket") say("upgrade", "websocket");
});
socket.on("system.notification", (n) => say("system.notification", n.data.n));
socket.on("connect_error", (error) => say("connect_error", told(error)));
socket.io.on("open", () => socket.io.engine.on("error", (error) => say("error", told(error))));
socket.on("disconnect", (reason) => say("disconnect", reason));
