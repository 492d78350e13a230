"""Options that several commands share, and values that options hold."""

from __future__ import annotations

from datetime import timedelta

import typer

from cli.domain import durations


def duration(text: str) -> timedelta:
    """A typer parser for lengths of time."""
    try:
        return durations.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
