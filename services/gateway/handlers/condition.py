"""How this gateway is, for administrators: what its metrics say of sockets, streams, limits, presence and memory."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import psutil
from prometheus_client import REGISTRY

_ONE = {
    "sockets": {"connections": "carillon_gateway_connections", "plain": "carillon_gateway_plain_sockets"},
    "sse": {"streams": "carillon_gateway_event_streams"},
    "presence": {"people": "carillon_gateway_present_people", "liveRooms": "carillon_gateway_live_rooms"},
    "memory": {"bytesPerConnection": "carillon_gateway_bytes_per_connection"},
    "loop": {"lagSeconds": "carillon_gateway_loop_lag_seconds"},
}
#: By the last label of each: how many since the start.
_BY_LABEL = {
    ("sockets", "closed"): "carillon_gateway_sockets_closed_total",
    ("sse", "cut"): "carillon_gateway_event_streams_cut_total",
    ("limits", "reached"): "carillon_gateway_limited_total",
    ("limits", "bans"): "carillon_gateway_bans_total",
    ("limits", "unauthorized"): "carillon_gateway_unauthorized_total",
}


def condition() -> dict[str, Any]:
    """Figures by subject; those of Carillon's other processes are theirs to tell."""
    told: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for subject, names in _ONE.items():
        told[subject] |= {name: REGISTRY.get_sample_value(metric) for name, metric in names.items()}
    counts = _counts()
    for (subject, name), metric in _BY_LABEL.items():
        told[subject][name] = counts.get(metric, {})
    told["memory"]["residentBytes"] = psutil.Process().memory_info().rss
    return {"status": "ok"} | told


def _counts() -> dict[str, dict[str, float]]:
    found: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    wanted = set(_BY_LABEL.values())
    for family in REGISTRY.collect():
        for sample in family.samples:
            if sample.name in wanted and sample.labels:
                found[sample.name][list(sample.labels.values())[-1]] += sample.value
    return {name: dict(counts) for name, counts in found.items()}
