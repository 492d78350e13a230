// The NotificationService class of the marketplace document on the current npm socket.io-client, with the three ways in
// which the document gives the token. It prints a JSON line for whatever it is told.
// Arguments: address, token, way (auth, header or query).
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const [address, token, way] = process.argv.slice(2);
const say = (kind, value) => process.stdout.write(JSON.stringify({ kind, value }) + "\n");
const url = `${address.replace("http", "ws")}/ws/notifications`;

class NotificationService {
  connect() {
    const ways = {
      auth: () => io(url, { auth: { token }, transports: ["websocket", "polling"] }),
      header: () => io(url, { extraHeaders: { Authorization: `Bearer ${token}` } }),
      query: () => io(`${url}?token=${token}`),
    };
    this.socket = ways[way]();
    this.socket.on("connect", () => say("connect"));
    this.socket.on("disconnect", (reason) => say("disconnect", reason));
    const answers = ["connected", "pong", "joinedRoom", "leftRoom", "presenceStats", "notificationRead", "error"];
    const events = ["booking.created", "booking.accepted", "booking.reminder", "booking.completed", "review.created"];
    for (const name of [...answers, ...events, "nearby-job", "system.maintenance", "heartbeat"]) {
      this.socket.on(name, (data) => say(name, data));
    }
  }

  ping() {
    if (this.socket) this.socket.emit("ping");
  }

  joinRoom(room) {
    if (this.socket) this.socket.emit("joinRoom", { room });
  }

  emit(event, data) {
    this.socket.emit(event, data);
  }

  disconnect() {
    if (this.socket) this.socket.disconnect();
  }
}

const service = new NotificationService();
service.connect();
createInterface({ input: process.stdin }).on("line", (line) => {
  const [command, argument] = line.split(/ (.*)/);
  if (command === "emit") service.emit(...JSON.parse(argument));
  else service[command](argument);
  say(command);
});
