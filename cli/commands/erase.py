"""`carillon erase`: erases what was said to a person."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer

from cli.adapters.api import Api
from cli.commands.options import Json, Key, Tenant, Url, api
from cli.outcome import fail, run

_PAUSE = 0.5  # seconds between two looks


def erase(
    user: Annotated[str, typer.Argument(metavar="USER", help="The id of the person.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Only say how far an erasure is.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Wait until the database has nothing more.")
    ] = 0,
    url: Url = None,
    key: Key = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Erase a person: from the directory, and what was said to them alone. Needs a key with content:erase.

    It cannot be undone. What was said to them and others stays; topics forget by themselves until the time it tells.
    """
    asked, path = api(url, key, tenant), f"directory/users/{quote(user, safe='')}/content"
    if not (status or yes):
        typer.confirm(f"Erase {user} and all that was said to them? This cannot be undone", abort=True)
    found = run(_settled(asked, path, "GET" if status else "DELETE", wait))
    typer.echo(orjson.dumps(found) if as_json else _line(found))
    if wait and found["status"] == "requested":
        fail(f"not erased within {wait:g} s")


async def _settled(asked: Api, path: str, method: str, wait: float) -> dict[str, Any]:
    deadline = time.monotonic() + wait
    found = await asked.ask(method, path)
    while found["status"] == "requested" and time.monotonic() < deadline:
        await asyncio.sleep(_PAUSE)
        found = await asked.ask("GET", path)
    return found


def _line(found: dict[str, Any]) -> str:
    return f"{found['userId']}\t{found['status']}\t{found['notifications']} erased\ttopics until {found['beyondUntil']}"
