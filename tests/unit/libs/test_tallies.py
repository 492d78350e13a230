"""Plain counts come out as the Prometheus library would write them."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from libs.runtime.tallies import Spread, Tally

pytestmark = pytest.mark.covers("F4-4")

PLAIN = Tally("test_plain", "Without labels")
LABELLED = Tally("test_labelled", "With one", ["kind"])
SECONDS = Spread("test_seconds", "How long", bounds=(0.5, 1, 2.5))


def test_a_counter_is_there_before_anything_was_counted() -> None:
    assert REGISTRY.get_sample_value("test_plain_total") == 0
    PLAIN.counts[()] += 3
    assert REGISTRY.get_sample_value("test_plain_total") == 3


def test_labels_are_counted_apart() -> None:
    for kind in ("a", "b", "a"):
        LABELLED.counts[kind,] += 1
    assert REGISTRY.get_sample_value("test_labelled_total", {"kind": "a"}) == 2
    assert REGISTRY.get_sample_value("test_labelled_total", {"kind": "b"}) == 1


def test_a_value_counts_in_every_bucket_that_reaches_as_far() -> None:
    for value in (0.1, 0.5, 2.0, 9.0):
        SECONDS.observe(value)
    counted = [REGISTRY.get_sample_value("test_seconds_bucket", {"le": le}) for le in ("0.5", "1.0", "2.5", "+Inf")]
    assert counted == [2, 2, 3, 4]
    assert REGISTRY.get_sample_value("test_seconds_count") == 4
    assert REGISTRY.get_sample_value("test_seconds_sum") == pytest.approx(11.6)
