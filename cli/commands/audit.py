"""`carillon audit`: does everything that came in add up?"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Annotated

import orjson
import typer
from rich.console import Console

from cli.adapters import audit_snapshot
from cli.domain.audit_report import Report, judge
from cli.outcome import AWAY, Exit, fail, run
from cli.settings import StoresSettings
from cli.views import audit as view
from libs.runtime.settings import load

_PAUSE = 0.5  # seconds between two looks while waiting


def audit(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Wait until nothing is in flight before judging.")
    ] = 0.0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Differences listed for each check.")] = 20,
) -> None:
    """Check the accounting of a running system. Exit status 1 when any difference is not zero.

    Everything is read from one snapshot of PostgreSQL and from the end offsets of the topics after it, so it may run
    beside a system under load: what is still on its way is in flight, never missing.
    """
    settings = load(StoresSettings)
    report = run(_settled(settings, limit, wait))
    if as_json:
        typer.echo(orjson.dumps(report.body(), option=orjson.OPT_INDENT_2))
    else:
        view.show(report, Console())
    if report.difference:
        raise typer.Exit(Exit.FINDING)
    if wait and report.in_flight:
        fail(f"{report.in_flight} still in flight after {wait:g} s")


async def _settled(settings: StoresSettings, limit: int, wait: float) -> Report:
    """The report of the first moment at which nothing is in flight, or of the last one before the time is up."""
    deadline = time.monotonic() + wait
    while True:
        await _quiet(settings, deadline)
        report = await _report(settings, limit)
        if not report.in_flight or time.monotonic() >= deadline:
            return report


async def _quiet(settings: StoresSettings, deadline: float) -> None:
    """Returns when nothing seems to be in flight, or at the deadline. Neighbours may be away until then."""
    while time.monotonic() < deadline:
        with contextlib.suppress(*AWAY):
            if not (await audit_snapshot.read_work(*_where(settings))).in_flight:
                return
        await asyncio.sleep(_PAUSE)


async def _report(settings: StoresSettings, limit: int) -> Report:
    snapshot = await audit_snapshot.read(*_where(settings), limit)
    return judge(snapshot, settings.kafka_topic_prefix, limit)


def _where(settings: StoresSettings) -> tuple[str, str, str]:
    return settings.postgres_dsn, settings.kafka_bootstrap, settings.kafka_topic_prefix
