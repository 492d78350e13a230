"""Rounds of garbage collection: cycles that come up between rounds go with the next, older ones with a full one."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from services.gateway.handlers import garbage
from services.gateway.handlers.garbage import Garbage

pytestmark = pytest.mark.covers("F1-6")


class Node:
    """Part of a cycle."""

    def __init__(self) -> None:
        self.other = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The collector is the whole process's."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_a_cycle_goes_with_the_next_round() -> None:
    rounds = Garbage()
    rounds.step()
    gone = weakref.ref(Node())
    rounds.step()
    assert gone() is None


def test_what_has_lived_for_a_round_is_not_looked_at_again() -> None:
    rounds, node = Garbage(), Node()
    rounds.step()
    assert not any(each is node for each in gc.get_objects())


def test_a_cycle_that_was_set_aside_goes_with_a_full_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "_FULL_EVERY", 3)
    rounds, node = Garbage(), Node()
    rounds.step()
    gone = weakref.ref(node)
    del node
    rounds.step()
    assert gone() is not None
    rounds.step()
    assert gone() is None
