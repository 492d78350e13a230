"""Creates the topics of libs.schemas.topics, with an optional prefix on every name."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from libs.schemas import topics

_CLUSTER_DEFAULT = -1  # understood by the broker, but refused by NewTopic's constructor


async def ensure_topics(bootstrap: str, prefix: str = "", extra: tuple[topics.Topic, ...] = ()) -> list[str]:
    """Creates the topics that do not exist yet; returns their names. Replication is the cluster's default.

    Raises aiokafka.errors.KafkaError when the broker refuses a topic.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        missing = [topic for topic in (*topics.ALL, *extra) if prefix + topic.name not in there]
        if missing:
            _raise_for(await admin.create_topics([_new(topic, prefix) for topic in missing]))
        return [prefix + topic.name for topic in missing]
    finally:
        await admin.close()


def _new(topic: topics.Topic, prefix: str) -> NewTopic:
    config = {"retention.ms": str(topic.retention_ms)} | topic.config
    new = NewTopic(prefix + topic.name, topic.partitions, 1, topic_configs=config)
    new.replication_factor = _CLUSTER_DEFAULT
    return new


def _raise_for(response: object) -> None:
    for name, code, *_ in response.topic_errors:  # type: ignore[attr-defined]  # aiokafka's responses are untyped
        if code not in (0, TopicAlreadyExistsError.errno):
            raise for_code(code)(f"topic {name}")
