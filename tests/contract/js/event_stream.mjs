// A client of the event stream as the marketplace document describes it, on the npm package `eventsource`: it prints a
// JSON line for whatever it is told. Arguments: address of the stream with its token.
import { EventSource } from "eventsource";

const [address] = process.argv.slice(2);
const say = (kind, value) => process.stdout.write(JSON.stringify({ kind, value }) + "\n");

const source = new EventSource(address);
source.onopen = () => say("open");
source.onerror = (error) => say("error", { code: error.code ?? null, closed: source.readyState === EventSource.CLOSED });
const named = ["connected", "heartbeat", "resync", "error", "serverClosing", "booking.created", "review.created"];
for (const name of [...named, "nearby-job", "notificationRead", "system.notification", "test"]) {
  source.addEventListener(name, (event) => {
    if (event.data !== undefined) say(name, { data: JSON.parse(event.data), id: event.lastEventId });
  });
}
