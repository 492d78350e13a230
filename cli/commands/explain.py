"""`carillon explain`: why somebody was, or was not, told."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from cli.adapters import explain_records
from cli.outcome import run
from cli.settings import PostgresSettings
from cli.views import explain as view
from libs.runtime.settings import load


def explain(
    notification: Annotated[UUID, typer.Argument(help="The notification's id.")],
    user: Annotated[str | None, typer.Option("--user", "-u", help="For this user, or agent:ID for an agent.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only in this tenant; default all.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Deliveries that are listed.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
) -> None:
    """Say what became of a notification: rooms, decisions and deliveries with their reasons and attempts.

    With --user: whether that person was meant, was shown it and was sent it, and why or why not, rule by rule; also
    for people who were not in the audience. What was not recorded then is worked out from the memberships,
    preferences and catalogue of the planning time, and marked as derived.
    """
    dsn = load(PostgresSettings).postgres_dsn
    story = run(explain_records.read(dsn, notification, tenant, user, limit))
    if as_json:
        typer.echo(story.model_dump_json(by_alias=True, indent=2))
    else:
        view.show(story, Console())
