"""Ids, trace context, settings and health."""

from pathlib import Path
from uuid import UUID

import pytest

from libs.runtime import ids, settings, tracing
from libs.runtime.clock import iso, utc_now
from libs.runtime.health import Health, Progress


def test_ids_are_derived_from_their_parts_alone() -> None:
    assert ids.derived("a", "b") == ids.derived("a", "b")
    assert ids.derived("a", "b") != ids.derived("ab")
    assert ids.delivery_id(UUID(int=1), "email", "u") != ids.delivery_id(UUID(int=1), "sms", "u")


def test_a_good_traceparent_is_kept_and_a_bad_one_replaced() -> None:
    good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert tracing.from_headers([("traceparent", good.encode())]) == good
    assert tracing.trace_id(good) == "4bf92f3577b34da6a3ce929d0e0e4736"
    for bad in (None, "", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "\xff", f"{good}\n"):
        assert tracing.accepted(tracing.accepted(bad)) != bad


def test_timestamps_on_the_wire_are_utc_with_milliseconds() -> None:
    assert iso(utc_now()).endswith("Z")
    assert len(iso(utc_now())) == len("2025-10-17T10:00:00.000Z")


def test_settings_name_the_variable_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # a developer's .env is not read
    monkeypatch.setenv("CARILLON_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("CARILLON_HTTP_PORT", "70000")
    monkeypatch.delenv("CARILLON_POSTGRES_DSN", raising=False)
    with pytest.raises(SystemExit) as stop:
        settings.load(settings.ServiceSettings)
    assert stop.value.code == settings.EXIT_BAD_SETTINGS
    said = capsys.readouterr().err
    assert "CARILLON_POSTGRES_DSN is not set" in said
    assert "CARILLON_HTTP_PORT is wrong" in said


def test_a_file_says_what_no_variable_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "SECRETS", tmp_path / "run")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "CARILLON_POSTGRES_DSN").write_text("postgresql://of-the-file\n", encoding="utf-8")
    (tmp_path / "run" / "CARILLON_KAFKA_BOOTSTRAP").write_text("of-the-file:1", encoding="utf-8")
    monkeypatch.setenv("CARILLON_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("CARILLON_HTTP_PORT", "7000")
    monkeypatch.delenv("CARILLON_POSTGRES_DSN", raising=False)
    found = settings.load(settings.ServiceSettings)
    assert (found.postgres_dsn, found.kafka_bootstrap) == ("postgresql://of-the-file", "127.0.0.1:1")


class Ticks:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


def test_progress_that_stands_still_is_a_fault_but_holding_is_not(ticks: Ticks) -> None:
    progress = Progress("loop", 10, ticks)
    ticks.now = 9
    assert progress.fault() is None
    ticks.now = 11
    assert progress.fault() == "no progress for 11 s"
    progress.holding("PostgreSQL is away")
    assert progress.fault() is None
    assert progress.held == "PostgreSQL is away"
    progress.made()
    assert progress.held is None


async def test_readiness_names_every_fault() -> None:
    async def fine() -> None:
        return None

    async def away() -> str:
        raise ConnectionError("refused")

    health = Health({"kafka": fine, "postgres": away})
    assert await health.ready() == {"postgres": "ConnectionError: refused"}
    health.stopping = True
    assert await health.ready() == {"process": "stopping"}
