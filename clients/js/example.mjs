// Prints what comes: `make run`, then TOKEN=$(.venv/bin/carillon token --user ana) node clients/js/example.mjs
import { connect } from "./dist/index.js";

const carillon = connect({ url: process.env.CARILLON_URL ?? "http://localhost:3002", token: process.env.TOKEN });

carillon.on("status", (status) => console.log("·", status.kind));
carillon.on("notification", ({ title, message }) => console.log(`${title}: ${message}`));
carillon.badge.on("change", (number) => console.log(number === null ? "nothing new" : `${number} new`));
await carillon.inbox.refresh().catch(({ message }) => console.error(message));
