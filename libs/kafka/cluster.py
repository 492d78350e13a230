"""Which cluster the brokers are: the id that it was formatted with."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient


async def cluster_id(bootstrap: str) -> str:
    """The cluster's id. Raises aiokafka.errors.KafkaError when no broker answers."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return str((await admin.describe_cluster())["cluster_id"])
    finally:
        await admin.close()
