"""`carillon suppressions`: addresses that nothing is sent to."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.adapters.api import Api
from cli.commands.options import Json, Key, Tenant, Url, api
from cli.outcome import run

app = typer.Typer(
    help="Suppressed addresses, over HTTP: needs a key with directory:read, or directory:write to change.",
    no_args_is_help=True,
)

_Channel = Annotated[str, typer.Argument(metavar="CHANNEL", help="email or sms.")]
_Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="ana@example.com, +15005550006")]
_PATH, _PAGE = "suppressions", 500


@app.command("list")
def list_suppressions(
    channel: Annotated[str | None, typer.Option(help="Only email or sms.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 100,
    url: Url = None,
    key: Key = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """List suppressions, the newest first. Addresses are not stored: only their masked form is shown."""
    found = run(_newest(api(url, key, tenant), channel, limit))
    if as_json:
        for one in found:
            typer.echo(orjson.dumps(one))
        return
    table = Table("Channel", "Address", "Reason", "By", "Since", box=None, pad_edge=False)
    for one in found:
        table.add_row(*(escape(one[name]) for name in ("channel", "masked", "reason", "source", "createdAt")))
    Console().print(table)


@app.command()
def add(channel: _Channel, address: _Address, url: Url = None, key: Key = None, tenant: Tenant = None) -> None:
    """Send nothing to an address from now on."""
    made = run(api(url, key, tenant).ask("POST", _PATH, {"channel": channel, "address": address}))
    typer.echo(f"{made['masked']}\t{made['reason']}")


@app.command()
def remove(channel: _Channel, address: _Address, url: Url = None, key: Key = None, tenant: Tenant = None) -> None:
    """Send to an address again."""
    typer.echo(f"{run(_removed(api(url, key, tenant), channel, address))}\tremoved")


async def _newest(asked: Api, channel: str | None, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while len(found) < limit:
        page = await asked.ask("GET", _PATH, channel=channel, cursor=cursor, limit=min(_PAGE, limit - len(found)))
        found += page["suppressions"]
        cursor = page["next"]
        if cursor is None:
            break
    return found


async def _removed(asked: Api, channel: str, address: str) -> str:
    found = await asked.ask("POST", f"{_PATH}/find", {"channel": channel, "address": address})
    await asked.ask("DELETE", f"{_PATH}/{found['id']}")
    return str(found["masked"])
