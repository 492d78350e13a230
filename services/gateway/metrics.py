"""Every metric of the gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from libs.runtime.tallies import Spread, Tally

CONNECTIONS = Gauge("carillon_gateway_connections", "Sockets whose token was accepted")
HELD_LOGS = Gauge("carillon_gateway_held_logs", "Logs of rooms and readers that are followed")
FEED_LAG = Gauge("carillon_gateway_feed_lag_records", "Records of our partition that have not been read yet")
FEED_BREAKS = Counter("carillon_gateway_feed_breaks_total", "Times the feed had to be taken up anew", ["reason"])
RECORDS = Counter("carillon_gateway_records_total", "Records read from gateway.inbox", ["kind"])
GAPS_FETCHED = Counter("carillon_gateway_gap_entries_total", "Log entries fetched because no record brought them")
EMISSIONS = Tally("carillon_gateway_emissions", "Events encoded for sockets", ["namespace"])
CLIENT_EVENTS = Counter("carillon_gateway_client_events_total", "What clients said, by command or fault", ["kind"])
DELIVERIES = Tally("carillon_gateway_deliveries", "Events queued for a socket each")
CATCH_UPS = Counter("carillon_gateway_catch_ups_total", "Sockets that were sent what they had missed")
RESYNCS = Counter("carillon_gateway_resyncs_total", "Sockets told to fetch anew", ["reason"])
UNAUTHORIZED = Counter("carillon_gateway_unauthorized_total", "Attempts that were refused (F2-4)", ["door", "reason"])
LOOP_LAG = Gauge(
    "carillon_gateway_loop_lag_seconds", "How late the event loop woke a timer, at worst of the last second"
)
RSS_PER_CONNECTION = Gauge(
    "carillon_gateway_bytes_per_connection", "Memory above that of the idle process, by the sockets connected"
)
CONNECT_SECONDS = Histogram(
    "carillon_gateway_connect_seconds",
    "From a socket's CONNECT to its `connected`",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
EVENT_SECONDS = Spread(
    "carillon_gateway_event_seconds",
    "From the acceptance of an event to its emission",
    bounds=(0.005, 0.01, 0.02, 0.03, 0.06, 0.1, 0.25, 0.5, 1, 5, 30, 120),
)
RECORDS_UNSENT = Counter(
    "carillon_gateway_records_unsent_total", "Records to gateways that Kafka did not take; what counts is compared"
)
REPEATED = Counter("carillon_gateway_repeated_total", "Notifications sent again because nobody acknowledged them")
LIMITED = Counter("carillon_gateway_limited_total", "Sockets and client events over a limit (S10)", ["limit"])
BANS = Counter("carillon_gateway_bans_total", "People and addresses that must stay away for a time", ["reason"])
EVENT_STREAMS = Gauge("carillon_gateway_event_streams", "Event streams that are open")
EVENT_STREAMS_CUT = Counter(
    "carillon_gateway_event_streams_cut_total", "Event streams ended because they took too little", ["reason"]
)
PLAIN_SOCKETS = Gauge("carillon_gateway_plain_sockets", "WebSockets without Socket.IO that are open")
PLAIN_SOCKETS_CUT = Counter("carillon_gateway_plain_sockets_cut_total", "WebSockets ended because they took too little")
UNSEALABLE = Counter("carillon_gateway_unsealable_total", "Sensitive values that could not be opened", ["reason"])
FORWARDED = Counter("carillon_gateway_forwarded_total", "Requests forwarded to ingest", ["status"])


class ClosedSockets(Collector):
    """What the transport counts itself, read when it is asked for."""

    def __init__(self) -> None:
        self.read: Callable[[], Mapping[str, int]] = dict

    def collect(self) -> Iterable[CounterMetricFamily]:
        """One counter, by reason: slow, idle, flooding, violations, timeouts, unfinished."""
        about = "Sockets that the transport closed: too slow, never joined, flooding, broken, silent, no request"
        family = CounterMetricFamily("carillon_gateway_sockets_closed", about, labels=["reason"])
        for reason, count in self.read().items():
            family.add_metric([reason], count)
        yield family


CLOSED_SOCKETS = ClosedSockets()
REGISTRY.register(CLOSED_SOCKETS)
LIVE_ROOMS = Gauge("carillon_gateway_live_rooms", "Rooms without a log that somebody is in")
JOIN_DECISIONS = Counter("carillon_gateway_join_decisions_total", "Whether somebody may join a resource", ["decision"])
SEATS_ENDED = Counter("carillon_gateway_seats_ended_total", "Sockets put out of a resource when their right ended")
CALLBACKS_FAILED = Counter(
    "carillon_gateway_policy_callbacks_failed_total", "Applications that did not say who may join", ["reason"]
)
EPHEMERALS_SHOWN = Counter("carillon_gateway_ephemerals_shown_total", "Ephemeral events queued for a socket each")
PRESENT_PEOPLE = Gauge("carillon_gateway_present_people", "People with a socket here, or with one a moment ago")
PRESENCE_SWEPT = Counter("carillon_gateway_presence_swept_total", "People taken offline because their gateway died")
