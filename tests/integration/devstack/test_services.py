"""Which processes a layout makes, what they are told, and shared stores that fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from devstack.kafka import EmbeddedKafka
from devstack.layout import Layout, Neighbours, counts
from devstack.services import Services
from devstack.shared import SharedStores, ask

_NEIGHBOURS = Neighbours("127.0.0.1:9092", "postgresql://postgres@127.0.0.1/carillon", topic_prefix="t1.")


def test_development_ports_are_fixed_and_second_instances_ten_higher(tmp_path: Path) -> None:
    services = Services(tmp_path, _NEIGHBOURS, Layout(counts(gateways=2, routers=2), fixed_ports=True))
    assert {name: int(process.environment["CARILLON_HTTP_PORT"]) for name, process in services.items()} == {
        "ingest-1": 3001,
        "router-1": 3003,
        "router-2": 3013,
        "gateway-1": 3002,
        "gateway-2": 3012,
        "delivery-1": 3004,
    }
    assert services.url("gateway", 1) == "http://127.0.0.1:3012"


def test_free_ports_differ(tmp_path: Path) -> None:
    services = Services(tmp_path, _NEIGHBOURS, Layout(counts(gateways=3)))
    assert len({process.url for process in services.values()}) == len(services)


def test_services_are_told_their_neighbours_and_nothing_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARILLON_JWT_SECRET", "the developer's own")
    layout = Layout(environment={"CARILLON_LOG_LEVEL": "DEBUG"}, by_service={"router": {"CARILLON_LOG_LEVEL": "INFO"}})
    services = Services(tmp_path, _NEIGHBOURS, layout)
    told = services["gateway-1"].environment
    assert told["CARILLON_KAFKA_BOOTSTRAP"] == "127.0.0.1:9092"
    assert told["CARILLON_KAFKA_TOPIC_PREFIX"] == "t1."
    assert told["CARILLON_ENVIRONMENT"] == "development"
    assert told["CARILLON_JWT_SECRET"] == _NEIGHBOURS.jwt_secret
    assert told["CARILLON_LOG_LEVEL"] == "DEBUG"
    assert services["router-1"].environment["CARILLON_LOG_LEVEL"] == "INFO"


def test_everybody_who_asks_is_told_why_a_shared_store_did_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_kafka: EmbeddedKafka) -> None:
        raise LookupError("java is not on the path")

    monkeypatch.setattr(EmbeddedKafka, "start", fail)
    stores = SharedStores(tmp_path)
    for _time in range(2):
        with pytest.raises(RuntimeError, match="java is not on the path"):
            ask(tmp_path, "kafka")
    stores.close()
