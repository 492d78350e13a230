"""Options that several commands share, and values that options hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from cli.adapters.api import Api
from cli.domain import durations
from cli.settings import ApiSettings, HttpSettings
from libs.runtime.settings import load

Url = Annotated[str | None, typer.Option("--url", help="Ingest or gateway (default CARILLON_API_URL).")]
Key = Annotated[str | None, typer.Option("--key", help="API key (default CARILLON_API_KEY).")]
Tenant = Annotated[str | None, typer.Option(help="Another tenant than the key's own.")]
Json = Annotated[bool, typer.Option("--json", help="JSON lines instead of a table.")]

Moment = Annotated[str | None, typer.Option(metavar="TIME", help="Such as 2026-01-31T08:00Z, or 90m, 2h, 3d ago.")]


def moment(text: str | None, now: datetime) -> datetime | None:
    """The time of an option, as an instant or as long ago. Raises ValueError."""
    if text is None:
        return None
    if not text[:4].isdecimal() or "-" not in text:
        return now - durations.parse(text)
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text!r} needs a zone, such as Z")
    return found


def api(url: str | None, key: str | None, tenant: str | None) -> Api:
    """The HTTP interface, from options or settings."""
    return Api(url or load(ApiSettings).api_url, key or load(HttpSettings).api_key, tenant)


def duration(text: str) -> timedelta:
    """A typer parser for lengths of time."""
    try:
        return durations.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
