"""The soak, with few people and for seconds: it raises when a notification is lost or the accounting does not hold."""

from __future__ import annotations

import pytest

from bench import soak
from bench.load import missing

pytestmark = [pytest.mark.covers("F2-9"), pytest.mark.skipif(missing() is not None, reason=str(missing()))]


async def test_a_small_soak_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "PEOPLE", 200)
    monkeypatch.setenv("SOAK_SECONDS", "3")
    sustained, *_ = await soak.measure()
    assert sustained.figure >= soak.A_DAY
