"""The broker's settings: one node that is broker and controller, small and quick, with production's guarantees."""

from __future__ import annotations

from pathlib import Path

# Kafka's own default is 1 MiB. An event may take about that by itself, and the limit counts for a whole batch.
MAX_MESSAGE_BYTES = 3 * 1024 * 1024


def server_properties(data_dir: Path, port: int, controller_port: int) -> str:
    """The text of server.properties."""
    settings = {
        # One node, known by its address (no dynamic quorum, no other machine).
        "process.roles": "broker,controller",
        "node.id": 1,
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "log.dirs": data_dir / "log",
        # There is one copy of everything.
        "default.replication.factor": 1,
        "min.insync.replicas": 1,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        # Fewer internal partitions are loaded in less time after a restart.
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.num.partitions": 1,
        # A misspelt topic is an error.
        "auto.create.topics.enable": "false",
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "replica.fetch.max.bytes": MAX_MESSAGE_BYTES,
        # Groups form at once, and tests may ask for short sessions.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 500,
        # After a crash the node may register again when its old session has run out (9 s by default).
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        # Deleted topics give their files back soon; tests make and delete many.
        "log.segment.delete.delay.ms": 1000,
        # Memory, threads and sparse index files for one developer, not a cluster.
        "num.network.threads": 2,
        "num.io.threads": 4,
        "log.cleaner.threads": 1,
        "log.cleaner.dedupe.buffer.size": 4 * 1024 * 1024,
        "log.index.size.max.bytes": 1024 * 1024,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())
