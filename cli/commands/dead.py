"""`carillon dead`: what could not be processed, and doing it again after the cause is gone."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from cli.adapters import dead_letters
from cli.commands.replay import replay
from cli.domain.replay import DEAD
from cli.outcome import run
from cli.settings import KafkaSettings
from cli.views import dead as view
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


app.command("replay")(replay)


def _topics(topic: str | None, settings: KafkaSettings) -> list[str]:
    if topic is not None and topic not in DEAD:
        raise typer.BadParameter(f"{topic} holds no dead letters; {', '.join(DEAD)} do")
    return [settings.kafka_topic_prefix + name for name in ([topic] if topic else DEAD)]
