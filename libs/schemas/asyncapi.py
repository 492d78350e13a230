"""The AsyncAPI 3 description of the topics that others may use: what they publish, and what they may read."""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import TypeAdapter

from libs.schemas import directory, events, records, topics
from libs.schemas.topics import Topic

_SCHEMAS = "#/components/schemas/"
_DAY_MS = 86_400_000


class _Public(NamedTuple):
    """A topic that others use. `action` is theirs: send or receive."""

    topic: Topic
    action: str
    message: str
    contract: Any
    summary: str


_PUBLIC = (
    _Public(topics.NOTI, "send", "UpstreamEvent", events.UpstreamEvent, "Publish events."),
    _Public(topics.DIRECTORY, "send", "DirectoryEntry", directory.DirectoryEntry, "Keep people and organisations."),
    _Public(
        topics.NOTIFICATION_LIFECYCLE,
        "receive",
        "LifecycleRecord",
        records.LifecycleRecord,
        "Learn what became of notifications: planned, sent, delivered, failed, opened, read.",
    ),
    _Public(topics.NOTI_INVALID, "receive", "DeadLetter", records.DeadLetter, "Events that were refused, and why."),
    _Public(topics.EVENTS_DEAD, "receive", "DeadLetter", records.DeadLetter, "Events that could not be planned."),
    _Public(topics.DELIVERY_DEAD, "receive", "DeadLetter", records.DeadLetter, "Deliveries that were given up."),
)


def document() -> dict[str, Any]:
    """The whole description. Names of topics are without the prefix that an installation may have."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Carillon topics",
            "version": "1",
            "description": (
                "Records are JSON. Fields that are not described may appear and are to be ignored. An installation may "
                "put a prefix before every name. Bulk lanes (`….bulk`) are between the services and not described."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {_name(p.topic): _channel(p) for p in _PUBLIC},
        "operations": {f"{p.action}-{p.topic.name}".replace(".", "-"): _operation(p) for p in _PUBLIC},
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _name(topic: Topic) -> str:
    return topic.name.replace(".", "-")


def _channel(public: _Public) -> dict[str, Any]:
    topic = public.topic
    kept = "for good, the newest of each key" if topic.retention_ms < 0 else f"{topic.retention_ms // _DAY_MS} days"
    return {
        "address": topic.name,
        "description": f"Keyed by {topic.key}; kept {kept}.",
        "messages": {public.message: {"$ref": f"#/components/messages/{public.message}"}},
        "bindings": {"kafka": {"topic": topic.name, "partitions": topic.partitions}},
    }


def _operation(public: _Public) -> dict[str, Any]:
    channel = f"#/channels/{_name(public.topic)}"
    return {
        "action": public.action,
        "channel": {"$ref": channel},
        "summary": public.summary,
        "messages": [{"$ref": f"{channel}/messages/{public.message}"}],
    }


def _messages() -> dict[str, Any]:
    return {p.message: {"name": p.message, "payload": {"$ref": _SCHEMAS + p.message}} for p in _PUBLIC}


def _schemas() -> dict[str, Any]:
    named = {p.message: p.contract for p in _PUBLIC}
    adapters = [(name, "validation", TypeAdapter(contract)) for name, contract in named.items()]
    references, definitions = TypeAdapter.json_schemas(adapters, ref_template=_SCHEMAS + "{model}")  # type: ignore[arg-type]
    found: dict[str, Any] = dict(definitions.get("$defs", {}))
    for (name, _mode), schema in references.items():
        if schema != {"$ref": _SCHEMAS + name}:
            found[name] = schema
    return found
