"""Every metric of the router."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter(
    "carillon_router_events_total", "Events dealt with, by typed event and what became of them", ["event", "fate"]
)
BATCH_EVENTS = Histogram(
    "carillon_router_batch_events", "Events in a batch", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
)
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30)
WRITE_SECONDS = Histogram(
    "carillon_router_write_seconds", "Seconds from taking a batch to its commit", buckets=_SECONDS
)
HAND_ON_SECONDS = Histogram(
    "carillon_router_hand_on_seconds",
    "Seconds from a batch's commit to the last acknowledgement",
    buckets=_SECONDS,
)
DECISIONS = Counter(
    "carillon_router_decisions_total", "Decisions for a person and channel", ["channel", "state", "reason"]
)
EMISSIONS = Counter("carillon_router_emissions_total", "Records to gateways: one a notification and slot")
EMISSIONS_SKIPPED = Counter(
    "carillon_router_emissions_skipped_total",
    "Records a gateway will have to fetch from the log, by reason",
    ["reason"],
)
FORWARDS = Counter("carillon_router_forwards_total", "Events for a service or queue, by outcome", ["outcome"])
UNADDRESSED = Counter("carillon_router_unaddressed_total", "Notifications whose rule found nobody", ["event"])
HOLDS = Counter("carillon_router_holds_total", "Attempts that failed and are repeated", ["step", "fault"])
LOST_OFFSETS = Counter(
    "carillon_router_lost_offsets_total", "Offsets that the consumer passed over and that were read again: alert"
)
GAPS = Counter("carillon_router_gaps_total", "Offsets at which Kafka has no record (any more)")
EXPANDED = Counter("carillon_router_expanded_people_total", "Members of groups that were decided one by one")
QUEUED_EVENTS = Gauge("carillon_router_queued_events", "Events that wait in memory")
QUEUED_BYTES = Gauge("carillon_router_queued_bytes", "Bytes of the events that wait in memory")
BULK_EVENTS = Counter("carillon_router_bulk_events_total", "Events that came by the bulk lane")
PARTITIONS = Gauge("carillon_router_partitions", "Partitions that this process reads", ["lane"])
TOLD = Counter("carillon_router_scheduled_told_total", "Scheduled events whose time came")
BROADCAST = Counter("carillon_router_broadcast_tenants_total", "Tenants that were told an event for all of them")
DIGESTS = Counter("carillon_router_digests_total", "Digests that were closed and are to be sent")
CANCELLED = Counter("carillon_router_cancelled_total", "Notifications that were cancelled after they were planned")
PURGED = Counter("carillon_router_purged_rows_total", "Rows that were kept long enough and removed", ["kind"])
OLDEST = Gauge("carillon_router_oldest_notification_seconds", "Age of the oldest notification, as last seen")
OVERDUE = Gauge(
    "carillon_router_retention_overdue_seconds", "By how much the oldest notification is past its time, as last seen"
)
UNSEALABLE = Counter("carillon_router_unsealable_total", "Sensitive values that could not be opened", ["reason"])
ERASED = Counter("carillon_router_erased_notifications_total", "Notifications whose content was erased for a person")
