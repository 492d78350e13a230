"""Every metric of ingest."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("carillon_ingest_events_total", "Events accepted and acknowledged by Kafka", ["road", "event"])
REFUSED = Counter("carillon_ingest_refused_total", "Events refused, by code of the reason", ["road", "code"])
BATCH = Histogram(
    "carillon_ingest_batch_events",
    "Events handled together",
    ["road"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
)
PUBLISH_SECONDS = Histogram(
    "carillon_ingest_publish_seconds",
    "Time from producing a batch to the acknowledgement of all in-sync replicas",
    ["road"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
UNSETTLED = Gauge("carillon_ingest_unsettled_records", "Records of noti handed on and not yet counted in PostgreSQL")
SETTLE_FAULTS = Counter("carillon_ingest_settle_faults_total", "Times that PostgreSQL did not take the counts")
PARTITIONS = Gauge("carillon_ingest_partitions", "Partitions of noti that this process reads")
UNAUTHORISED = Counter("carillon_ingest_unauthorised_total", "Calls turned away, by reason", ["reason"])
LIMITED = Counter("carillon_ingest_rate_limited_total", "Calls refused because the caller's quota was used up")
UNAVAILABLE = Counter("carillon_ingest_unavailable_total", "Calls answered 503 because a neighbour was away")
DIRECTORY = Counter("carillon_ingest_directory_entries_total", "Directory entries written", ["road", "operation"])
REPORTS = Counter("carillon_ingest_reports_total", "Providers' words on deliveries, by event", ["provider", "event"])
OPENS = Counter("carillon_ingest_opens_total", "Pictures of mails that were fetched, by what came of it", ["outcome"])
WAITING = Gauge("carillon_ingest_waiting", "Notifications whose callers wait for their result")
EPHEMERALS = Counter("carillon_ingest_ephemerals_total", "Ephemeral events handed to the gateways that listen")
DIVERTED = Counter("carillon_ingest_diverted_events_total", "Events of tenants over their share, by event", ["event"])
DIVERTED_TENANTS = Gauge("carillon_ingest_diverted_tenants", "Tenants that are announced for the bulk lane, or on it")
MEMBERSHIP_CHANGES = Counter("carillon_ingest_membership_changes_total", "People whose memberships changed")
