"""Metrics for what happens with every message: plain numbers that are made into samples when they are asked for.

Those of the Prometheus library take a lock each time, because any thread may count. These are for one thread.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector


class Tally(Collector):
    """A counter. `counts` is raised directly, by the values of the labels: `counts["a",]`, without labels `counts[()]`.

    `name` is without the `_total` that the samples get.
    """

    def __init__(self, name: str, about: str, labels: Sequence[str] = ()) -> None:
        self._name, self._about, self._labels = name, about, labels
        self.counts: Counter[tuple[str, ...]] = Counter() if labels else Counter({(): 0})
        REGISTRY.register(self)

    def collect(self) -> Iterable[CounterMetricFamily]:
        """One counter, with a sample for each value of the labels."""
        family = CounterMetricFamily(self._name, self._about, labels=self._labels)
        for values, count in list(self.counts.items()):
            family.add_metric(values, count)
        yield family


class Spread(Collector):
    """A histogram; `bounds` are the upper ends of its buckets, rising."""

    def __init__(self, name: str, about: str, bounds: Sequence[float]) -> None:
        self._name, self._about, self._bounds = name, about, bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        REGISTRY.register(self)

    def observe(self, value: float) -> None:
        """One value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """The histogram: each bucket counts what the ones before it do as well."""
        family, below, buckets = HistogramMetricFamily(self._name, self._about), 0, []
        for bound, count in zip([*map(float, self._bounds), "+Inf"], self._counts, strict=True):
            below += count
            buckets.append((str(bound), below))
        family.add_metric([], buckets, self._sum)
        yield family
