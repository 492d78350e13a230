"""Dead letters as a table or as JSON lines, without their content."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.adapters.dead_letters import Found
from libs.runtime.clock import iso


def show(letters: Sequence[Found], console: Console) -> None:
    """Prints a table."""
    if not letters:
        console.print("There are no dead letters.")
        return
    table = Table("Position", "Code", "Field", "Reason", "Read from", "Tenant", "Failed at", box=None, pad_edge=False)
    for found in letters:
        letter = found.letter
        texts = (str(found.position), letter.code, letter.field or "", letter.reason, _source(found))
        table.add_row(*map(escape, texts), escape(letter.tenant or ""), iso(letter.failed_at))
    console.print(table)


def write_lines(letters: Sequence[Found]) -> None:
    """Prints one JSON object a letter."""
    for found in letters:
        body = found.letter.model_dump(mode="json", by_alias=True, exclude={"key", "value", "headers"})
        typer.echo(orjson.dumps({"position": str(found.position)} | body))


def _source(found: Found) -> str:
    source = found.letter.source
    return f"{source.topic}:{source.partition}:{source.offset}"
