// Socket.IO on Node with the benchmark's application: a token is checked, two rooms are joined, `/run` emits.
//
//   node server.js PORT SECRET
import http from "node:http";
import { setImmediate, setTimeout } from "node:timers/promises";
import jwt from "jsonwebtoken";
import { Server } from "socket.io";

const [port, secret] = process.argv.slice(2);
const SIZE = 300; // bytes of a payload, about
const EMITTERS = 4;

function one(query) {
  const users = Number(query.get("users"));
  const room = query.get("kind") === "unicast" ? `user:${Math.floor(Math.random() * users)}` : "room";
  const t = Math.round((performance.timeOrigin + performance.now()) * 1000);
  io.to(room).emit("event", { t, text: "x".repeat(SIZE - 40) });
}

async function run(query) {
  const count = Number(query.get("count"));
  const rate = Number(query.get("rate"));
  if (rate) {
    const began = performance.now();
    for (let number = 0; number < count; number++) {
      await setTimeout(Math.max(0, began + (number * 1000) / rate - performance.now()));
      one(query);
    }
    return;
  }
  const many = async () => {
    for (let number = 0; number < count / EMITTERS; number++) {
      one(query);
      await setImmediate();
    }
  };
  await Promise.all(Array.from({ length: EMITTERS }, many));
}

const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname === "/run") await run(url.searchParams);
  response.end("0");
});
const io = new Server(server);
io.use((socket, next) => {
  try {
    jwt.verify(socket.handshake.auth.token, secret, { algorithms: ["HS256"] });
    next();
  } catch (error) {
    next(error);
  }
});
io.on("connection", (socket) => {
  socket.join(["room", `user:${socket.handshake.auth.user}`]);
});
server.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
