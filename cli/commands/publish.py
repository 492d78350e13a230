"""`carillon publish`: events from the command line, a file or a pipe, by either door."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.adapters import http_publish, kafka_publish
from cli.domain import composing, event_files
from cli.outcome import Exit, fail, run
from cli.settings import HttpSettings, KafkaSettings
from libs.runtime.clock import iso, utc_now
from libs.runtime.settings import load
from libs.schemas.topics import NOTI


def publish(  # noqa: PLR0913, PLR0917 - one parameter an option is how typer is told of them
    event: Annotated[
        str | None, typer.Argument(help="Event name, like system.notification; - reads events from stdin.")
    ] = None,
    pairs: Annotated[
        list[str] | None, typer.Argument(metavar="[FIELD=TEXT|FIELD:=JSON]…", help="Fields of the event's data.")
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", "-f", help="JSON, a JSON array or JSON lines; - reads stdin.")
    ] = None,
    to: Annotated[
        list[str] | None, typer.Option("--to", "-t", metavar="ROOM", help="Recipient: user:ana, org:acme, tenant …")
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Tenant of the composed event.")] = None,
    kafka: Annotated[bool, typer.Option("--kafka", help="To the topic noti (the default).")] = False,
    http: Annotated[str | None, typer.Option(metavar="URL", help="To this ingest or gateway instead.")] = None,
    key: Annotated[str | None, typer.Option(help="API key for --http (default CARILLON_API_KEY).")] = None,
    record_key: Annotated[str | None, typer.Option(help="Kafka key: order is kept within it.")] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="A repeat with it is the same notification.")] = None,
    unchecked: Annotated[bool, typer.Option("--unchecked", help="Send what the contract would refuse.")] = False,
) -> None:
    """Publish events and print where they stand (Kafka) or their ids (HTTP).

    [bold]carillon publish system.notification title=Hello message='It works' --to user:ana[/]

    [bold]carillon publish -f events.jsonl --http http://127.0.0.1:3001 --key ck_…[/]
    """
    if event == "-":
        event, file = None, file or "-"
    if (event is None) == (file is None):
        raise typer.BadParameter("give either an event name with fields, or --file")
    if kafka and http:
        raise typer.BadParameter("--kafka and --http are two doors: choose one")
    events = _events(event, pairs or [], to or [], tenant, file, unchecked)
    if idempotency_key and len(events) > 1:
        raise typer.BadParameter("--idempotency-key is for one event: it would make all of them the same")
    if http:
        _by_http(http, key, events, idempotency_key)
    else:
        _by_kafka(events, record_key, idempotency_key)


def _events(
    event: str | None, pairs: list[str], to: list[str], tenant: str | None, file: str | None, unchecked: bool
) -> list[bytes]:
    try:
        if event is not None:
            metadata = {"timestamp": iso(utc_now())} | ({"tenantId": tenant} if tenant else {})
            events = [composing.event(event, pairs, to, metadata)]
        else:
            events = event_files.split(_read(file or "-"))
        if not unchecked:
            event_files.check(events)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return events


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None


def _by_kafka(events: list[bytes], record_key: str | None, idempotency_key: str | None) -> None:
    settings = load(KafkaSettings)
    topic = settings.kafka_topic_prefix + NOTI.name
    for position in run(
        kafka_publish.publish(settings.kafka_bootstrap, topic, events, key=record_key, idempotency_key=idempotency_key)
    ):
        typer.echo(f"{position}\t{position.traceparent}")


def _by_http(url: str, key: str | None, events: list[bytes], idempotency_key: str | None) -> None:
    api_key = key or load(HttpSettings).api_key
    answers = run(http_publish.publish(url, api_key, events, idempotency_key))
    for answer in answers:
        typer.echo(answer.id or f"refused: {answer.problem}")
    if refused := sum(1 for answer in answers if answer.id is None):
        fail(f"{refused} of {len(answers)} events were refused", Exit.FINDING)
