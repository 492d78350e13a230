"""Which service processes a stack has, where they listen, and what their environment tells them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from devstack.ports import free_port
from libs.runtime import published

NAMES = ("ingest", "router", "gateway", "delivery")
DEVELOPMENT_PORTS: Mapping[str, int] = {"ingest": 3001, "gateway": 3002, "router": 3003, "delivery": 3004}
DEVELOPMENT_SECRET, DEVELOPMENT_SEALING_KEY = published.JWT_SECRET, published.SEALING_KEY
_INSTANCE_STEP = 10  # the second gateway listens ten ports above the first


@dataclass(frozen=True)
class Neighbours:
    """What the services talk to.

    Args:
        kafka_bootstrap: host:port of the broker.
        postgres_dsn: the database.
        topic_prefix: put before every topic and group, so that stacks can share a broker.
        jwt_secret: HMAC key of the development tokens.
    """

    kafka_bootstrap: str
    postgres_dsn: str
    topic_prefix: str = ""
    jwt_secret: str = DEVELOPMENT_SECRET

    def environment(self) -> dict[str, str]:
        """The variables that tell a service."""
        return {
            "CARILLON_ENVIRONMENT": "development",
            "CARILLON_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "CARILLON_KAFKA_TOPIC_PREFIX": self.topic_prefix,
            "CARILLON_POSTGRES_DSN": self.postgres_dsn,
            "CARILLON_JWT_SECRET": self.jwt_secret,
            "CARILLON_SEALING_KEYS": DEVELOPMENT_SEALING_KEY,
        }


@dataclass(frozen=True)
class Layout:
    """How many processes of each service, and how they differ.

    Args:
        counts: processes by service; a service that is not named has none.
        fixed_ports: the development ports (second instances ten higher) instead of free ones.
        environment: further variables for every service.
        by_service: further variables by service.
    """

    counts: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 1))
    fixed_ports: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    by_service: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def port(self, service: str, index: int) -> int:
        """The port of the process with this index (from 0)."""
        return DEVELOPMENT_PORTS[service] + _INSTANCE_STEP * index if self.fixed_ports else free_port()

    def variables(self, service: str, neighbours: Neighbours) -> dict[str, str]:
        """The environment of a service but for its port. This process's own `CARILLON_` variables are left out."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CARILLON_")}
        own = {**self.environment, **self.by_service.get(service, {})}
        return {**inherited, "PYTHONUNBUFFERED": "1", **neighbours.environment(), **own}


def counts(*, ingests: int = 1, routers: int = 1, gateways: int = 1, deliveries: int = 1) -> dict[str, int]:
    """Layout.counts in words."""
    return {"ingest": ingests, "router": routers, "gateway": gateways, "delivery": deliveries}
