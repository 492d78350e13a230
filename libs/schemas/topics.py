"""Kafka topics: names, partition counts, keys and how long they keep records. The one place that names them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

_HOUR = 3_600_000
_DAY = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic. `key` says what its records are keyed by, that is, within what their order is kept."""

    name: str
    partitions: int
    key: str
    retention_ms: int = 7 * _DAY
    config: dict[str, str] = field(default_factory=dict)


# Raising a partition count breaks the order of keys once, so the counts start high.
NOTI = Topic("noti", 8, "the producer's own key, or none", 3 * _DAY, {"max.message.bytes": str(3 * 1024 * 1024)})
SYSTEM_NOTIFICATION = Topic("system.notification", 8, "the producer's key, else userId, else none", 3 * _DAY)
SERVICE_EVENT = Topic("service.event", 8, "the producer's key, else userId, else none", 3 * _DAY)
SERVICE_ALERT = Topic("service.alert", 8, "the producer's key, else userId, else none", 3 * _DAY)
AGENT_EVENT = Topic("agent.event", 8, "agentId", 3 * _DAY)
NOTI_INVALID = Topic(
    "noti.invalid",
    4,
    "topic:partition:offset of the refused record",
    14 * _DAY,
    {"max.message.bytes": str(5 * 1024 * 1024)},
)
EVENTS_DEAD = Topic("events.dead", 4, "notification id", 14 * _DAY, {"max.message.bytes": str(5 * 1024 * 1024)})
#: One partition per gateway slot; a gateway leases a slot and reads that partition alone.
GATEWAY_INBOX = Topic("gateway.inbox", 16, "none: the partition is the slot", _DAY)
DELIVERY_EMAIL = Topic("delivery.email", 8, "none: a record names deliveries of many people", 3 * _DAY)
DELIVERY_WEBHOOK = Topic("delivery.webhook", 8, "none: a record names deliveries to many endpoints", 3 * _DAY)
DELIVERY_PUSH = Topic("delivery.push", 8, "none: a record names deliveries of many people", 3 * _DAY)
DELIVERY_SMS = Topic("delivery.sms", 8, "none: a record names deliveries of many people", 3 * _DAY)
DELIVERY_SLACK = Topic("delivery.slack", 4, "none", 3 * _DAY)
DELIVERY_DISCORD = Topic("delivery.discord", 4, "none", 3 * _DAY)
DELIVERY_TEAMS = Topic("delivery.teams", 4, "none", 3 * _DAY)
DELIVERY_DEAD = Topic("delivery.dead", 4, "delivery id", 14 * _DAY)
NOTIFICATION_LIFECYCLE = Topic("notification.lifecycle", 8, "notification id", 7 * _DAY)
DIRECTORY = Topic("directory", 8, "kind:tenant:id", -1, {"cleanup.policy": "compact"})

#: The typed topic of each of the four events.
TYPED: dict[str, Topic] = {
    topic.name: topic for topic in (SYSTEM_NOTIFICATION, SERVICE_EVENT, SERVICE_ALERT, AGENT_EVENT)
}
BULK_SUFFIX = ".bulk"
#: The bulk lane of each typed topic: what a tenant publishes over its share. A key goes to the same partition in both.
BULK: dict[str, Topic] = {
    name: replace(topic, name=name + BULK_SUFFIX, key=f"as {name}") for name, topic in TYPED.items()
}
#: Names, in the order of the fast lane's partitions, the offsets that a record of the bulk lane follows: `12,0,7`.
FOLLOWS_HEADER = "carillon-follows"
#: The work topic of each external channel.
DELIVERY: dict[str, Topic] = {
    "email": DELIVERY_EMAIL,
    "webhook": DELIVERY_WEBHOOK,
    "push": DELIVERY_PUSH,
    "sms": DELIVERY_SMS,
    "slack": DELIVERY_SLACK,
    "discord": DELIVERY_DISCORD,
    "teams": DELIVERY_TEAMS,
}

ALL: tuple[Topic, ...] = (
    NOTI,
    *TYPED.values(),
    *BULK.values(),
    NOTI_INVALID,
    EVENTS_DEAD,
    GATEWAY_INBOX,
    *DELIVERY.values(),
    DELIVERY_DEAD,
    NOTIFICATION_LIFECYCLE,
    DIRECTORY,
)
#: How long the ids of events are known, at least: longer than any topic keeps a record. What is older is not replayed,
#: since nobody could tell any more that it was there before.
IDS_KEPT = timedelta(milliseconds=max(topic.retention_ms for topic in ALL), days=1)
