// Many clients that begin with polling and upgrade while a room is sent to: what each hears must have no gap.
// node upgrade_under_load.mjs URL CLIENTS: prints one JSON line when all have heard `last`.
import { io } from "socket.io-client";

const [url, clients] = [process.argv[2], Number(process.argv[3])];
const seen = { websocket: 0, polling: 0, messages: 0, gaps: 0, disconnects: 0 };
let finished = 0;

for (let index = 0; index < clients; index++) {
  const stays = index % 4 === 3;
  const socket = io(url, {
    transports: stays ? ["polling"] : ["polling", "websocket"],
    forceNew: true,
    reconnection: false,
  });
  let previous = -1;
  socket.on("connect_error", (error) => {
    throw error;
  });
  socket.on("disconnect", () => seen.disconnects++);
  socket.on("number", (number) => {
    seen.messages++;
    if (previous >= 0 && number !== previous + 1) seen.gaps++;
    previous = number;
  });
  socket.on("last", () => {
    seen[socket.io.engine.transport.name]++;
    if (++finished === clients) {
      console.log(JSON.stringify(seen));
      process.exit(0);
    }
  });
}
