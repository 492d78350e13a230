"""`carillon dead`: what could not be processed, and doing it again after the cause is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import typer
from rich.console import Console

from cli.adapters import dead_letters, replaying
from cli.adapters.database import operator
from cli.adapters.dead_letters import Found
from cli.adapters.kafka import producing
from cli.domain.replay import DEAD, Impossible, Position
from cli.outcome import Exit, run
from cli.settings import KafkaSettings, StoresSettings
from cli.views import dead as view
from libs.kafka.cluster import cluster_id
from libs.runtime.settings import load

app = typer.Typer(help="List and replay dead letters.", no_args_is_help=True)

_Topic = Annotated[str | None, typer.Option(metavar="TOPIC", help=f"One of {', '.join(DEAD)}; default all.")]
_Code = Annotated[str | None, typer.Option(help="Only letters with this reason code.")]


@app.command("list")
def list_letters(
    topic: _Topic = None,
    code: _Code = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many are looked at.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines instead of a table.")] = False,
) -> None:
    """List the newest dead letters: where, why, whose. Content is not shown."""
    settings = load(KafkaSettings)
    topics = _topics(topic, settings)
    found = [
        one
        for one in run(dead_letters.newest(settings.kafka_bootstrap, topics, limit))
        if code is None or one.letter.code == code
    ]
    if as_json:
        view.write_lines(found)
    else:
        view.show(found, Console())


@app.command()
def replay(
    positions: Annotated[list[str] | None, typer.Argument(metavar="[TOPIC:PARTITION:OFFSET]…")] = None,
    topic: _Topic = None,
    code: _Code = None,
    everything: Annotated[bool, typer.Option("--all", help="All letters of the topic.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also what has been replayed before.")] = False,
) -> None:
    """Replay letters one by one, by reason code, or all of a topic.

    noti.invalid and events.dead: the original record goes back to where it was read, with its key and headers.
    delivery.dead: the delivery is due again. What has been replayed before is left alone.
    """
    if not positions and not (everything or code):
        raise typer.BadParameter("name positions, or give --code or --all with --topic")
    if (everything or code) and topic is None:
        raise typer.BadParameter("--code and --all need --topic")
    settings = load(StoresSettings)
    try:
        wanted = [Position.parse(position) for position in positions or []]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    source = _named(settings, wanted) if wanted else _coded(settings, _topics(topic, settings), code)
    if run(_replay(settings, source, again=again)):
        raise typer.Exit(Exit.FINDING)


def _topics(topic: str | None, settings: KafkaSettings) -> list[str]:
    if topic is not None and topic not in DEAD:
        raise typer.BadParameter(f"{topic} holds no dead letters; {', '.join(DEAD)} do")
    return [settings.kafka_topic_prefix + name for name in ([topic] if topic else DEAD)]


async def _named(settings: StoresSettings, positions: Sequence[Position]) -> AsyncIterator[list[Found]]:
    yield [await dead_letters.at(settings.kafka_bootstrap, position) for position in positions]


async def _coded(settings: StoresSettings, topics: list[str], code: str | None) -> AsyncIterator[list[Found]]:
    async for batch in dead_letters.all_of(settings.kafka_bootstrap, topics):
        yield [found for found in batch if code is None or found.letter.code == code]


async def _replay(settings: StoresSettings, letters: AsyncIterator[list[Found]], *, again: bool) -> int:
    """Replays and prints; returns how many could not be."""
    failed = 0
    cluster = await cluster_id(settings.kafka_bootstrap)
    async with operator(settings.postgres_dsn) as connection, producing(settings.kafka_bootstrap) as producer:
        replays = replaying.Replays(connection, producer, cluster, settings.kafka_topic_prefix)
        async for batch in letters:
            done = set() if again else await replays.done(batch)
            for found in batch:
                if found.position in done:
                    typer.echo(f"{found.position}\tleft alone: replayed before")
                    continue
                outcome = await replays.replay(found)
                failed += isinstance(outcome, Impossible)
                typer.echo(f"{found.position}\t{_said(outcome)}")
    return failed


def _said(outcome: str | Impossible) -> str:
    return f"not replayed: {outcome.reason}" if isinstance(outcome, Impossible) else f"→ {outcome}"
