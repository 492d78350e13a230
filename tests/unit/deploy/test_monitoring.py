"""The dashboard and the alerts ask for metrics and labels that the services have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import services.delivery.metrics
import services.gateway.metrics
import services.ingest.metrics
import services.router.metrics
from libs.runtime.tallies import Tally
from tests.unit.deploy.manifests import DEPLOY, ROOT

pytestmark = pytest.mark.covers("F2-7")

_MODULES = (services.ingest.metrics, services.router.metrics, services.gateway.metrics, services.delivery.metrics)
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
#: What every process and every scrape has.
_COMMON = {"instance", "job", "le"}
_OF_PROCESSES = {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"}
_NAME = re.compile(r"\b(?:carillon|process)_[a-z_]+\b")


def _labels() -> dict[str, set[str]]:
    """Labels by the name of a series."""
    found = {name: set[str]() for name in _OF_PROCESSES} | {"carillon_gateway_sockets_closed_total": {"reason"}}
    for module in _MODULES:
        for metric in vars(module).values():
            if isinstance(metric, MetricWrapperBase):
                (family,) = metric.describe()
                for suffix in _SUFFIXES[family.type]:
                    found[family.name + suffix] = set(metric._labelnames)
            elif isinstance(metric, Tally):
                found[f"{metric._name}_total"] = set(metric._labels)
    return found


def _alerts() -> list[dict[str, str]]:
    (group,) = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    rules: list[dict[str, str]] = group["rules"]
    return rules


def _expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in _alerts())
    for panel in json.loads((DEPLOY / "grafana" / "carillon.json").read_text())["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


@pytest.mark.parametrize("expression", list(_expressions()))
def test_every_series_exists_and_has_the_labels_that_are_asked_for(expression: str) -> None:
    labels, asked = _labels(), set(_NAME.findall(expression))
    assert asked <= set(labels)
    grouped = {name.strip() for by in re.findall(r"by \(([^)]*)\)", expression) for name in by.split(",")}
    for name in asked:
        assert grouped <= labels[name] | _COMMON


def test_processes_tell_of_themselves() -> None:
    assert {sample.name for family in REGISTRY.collect() for sample in family.samples} >= _OF_PROCESSES


def test_the_page_for_operators_explains_every_alert_and_no_other() -> None:
    explained = re.findall(r"^\| `(Carillon\w+)` \|", (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE)
    assert sorted(explained) == sorted(rule["alert"] for rule in _alerts())
