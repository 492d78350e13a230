"""`carillon replay`: events and dead letters again, from offsets, from a time on, or all of a topic."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.adapters import offsets, records
from cli.adapters.database import operator
from cli.adapters.kafka import producing
from cli.adapters.replaying import Replays
from cli.commands.options import Moment, moment
from cli.domain.accounting import Ends, Partition
from cli.domain.replay import DEAD, EVENTS, Stretch
from cli.domain.replaying import Fate, Wanted
from cli.outcome import Exit, Refused, run
from cli.settings import StoresSettings
from libs.kafka.cluster import cluster_id
from libs.runtime.clock import utc_now
from libs.runtime.settings import load

_ALL = (*EVENTS, *DEAD)


def replay(  # noqa: PLR0913, PLR0917 - every parameter is an option
    places: Annotated[
        list[str] | None, typer.Argument(metavar="[TOPIC:PARTITION:OFFSET[-[LAST]]]…", help="Offsets, or stretches.")
    ] = None,
    topic: Annotated[str | None, typer.Option(metavar="TOPIC", help=f"One of {', '.join(_ALL)}.")] = None,
    since: Moment = None,
    until: Moment = None,
    everything: Annotated[bool, typer.Option("--all", help="All that the topic holds.")] = False,
    tenant: Annotated[str | None, typer.Option(help="Only what is this tenant's.")] = None,
    code: Annotated[str | None, typer.Option(help="Only dead letters with this reason code.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also dead letters that were replayed before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send and write nothing; say what would be.")] = False,
    rate: Annotated[float, typer.Option(min=0.1, max=100_000, help="Records a second, at most.")] = 500.0,
) -> None:
    """Replay events, or dead letters after their cause is gone.

    noti and the topics of events: the record goes to its partition again and stays the same event, so what is
    written down already is a duplicate and changes nothing. noti.invalid and events.dead: the original record goes
    back to where it was read. delivery.dead: the delivery is due again. It is safe to do this twice; letters that were
    replayed are left alone. What is older than ids are known is refused.
    """
    if not places and not (everything or code or since or until):
        raise typer.BadParameter("name offsets, or give --all, --code, --since or --until with --topic")
    if bool(places) is bool(topic):
        raise typer.BadParameter("name either offsets or --topic" if topic else "--all, --code and times need --topic")
    if topic is not None and topic not in _ALL:
        raise typer.BadParameter(f"{topic} is not replayed; {', '.join(_ALL)} are")
    now = utc_now()
    try:
        stretches = [Stretch.parse(place) for place in places or []]
        times = moment(since, now), moment(until, now)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    settings, wanted = load(StoresSettings), Wanted(now, tenant, code, again)
    source = _named(settings, stretches, *times) if stretches else _timed(settings, topic or "", *times)
    if run(_replay(settings, source, wanted, rate=rate, dry=dry_run)):
        raise typer.Exit(Exit.FINDING)


async def _named(
    settings: StoresSettings, stretches: Iterable[Stretch], since: datetime | None, until: datetime | None
) -> AsyncIterator[list[Any]]:
    prefix, bootstrap = settings.kafka_topic_prefix, settings.kafka_bootstrap
    for stretch in stretches:
        if stretch.topic.removeprefix(prefix) not in _ALL:
            raise Refused(f"{stretch.topic} is not replayed; {', '.join(_ALL)} are", Exit.USAGE)
        name = prefix + stretch.topic.removeprefix(prefix)
        where = name, stretch.partition
        held = (await offsets.read(bootstrap, [name])).get(where, Ends(0, 0))
        end = held.end if stretch.last is None else stretch.last + 1
        if not held.first <= stretch.first < end <= held.end:
            raise Refused(f"there is no record at {stretch}: the partition holds {held.first} to {held.end - 1}")
        spans = await records.between(bootstrap, {where: Ends(stretch.first, end)}, since, until)
        async for batch in records.read(bootstrap, spans):
            yield batch


async def _timed(
    settings: StoresSettings, topic: str, since: datetime | None, until: datetime | None
) -> AsyncIterator[list[Any]]:
    spans: dict[Partition, Ends] = await offsets.read(settings.kafka_bootstrap, [settings.kafka_topic_prefix + topic])
    async for batch in records.read(
        settings.kafka_bootstrap, await records.between(settings.kafka_bootstrap, spans, since, until)
    ):
        yield batch


async def _replay(
    settings: StoresSettings, source: AsyncIterator[list[Any]], wanted: Wanted, *, rate: float, dry: bool
) -> int:
    """Replays, prints every letter, what failed, and the summary; returns how many could not be."""
    cluster = await cluster_id(settings.kafka_bootstrap)
    async with operator(settings.postgres_dsn) as connection, producing(settings.kafka_bootstrap) as producer:
        replays = Replays(connection, producer, cluster, settings.kafka_topic_prefix, rate=rate, dry=dry)
        with Console(stderr=True).status("replaying") as status:
            async for one, fate, said in replays.run(source, wanted):
                if one.code is not None or fate in (Fate.IMPOSSIBLE, Fate.TOO_OLD):
                    typer.echo(f"{one.position}\t{fate}{': ' if said else ''}{said}")
                status.update(f"replaying: {replays.tally.read} records read")
    for line in replays.tally.lines():
        typer.echo(f"would be: {line}" if dry else line)
    return replays.tally.findings
