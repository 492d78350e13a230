"""`carillon endpoints`: where a tenant's notifications are posted to."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.commands.options import Json, Key, Tenant, Url, api
from cli.outcome import Exit, run

app = typer.Typer(
    help="Webhooks and chats of a tenant, over HTTP: needs a key with directory:read, or directory:write to change.",
    no_args_is_help=True,
)

_Id = Annotated[str, typer.Argument(metavar="ID", help="As `carillon endpoints list` shows it.")]
_PATH = "endpoints"
_TAKEN = ("sent", "delivered")


@app.command("list")
def list_endpoints(url: Url = None, key: Key = None, tenant: Tenant = None, as_json: Json = False) -> None:
    """List endpoints. Of a chat's address, which is a secret, only the host is shown."""
    found = run(api(url, key, tenant).ask("GET", _PATH))["endpoints"]
    if as_json:
        for one in found:
            typer.echo(orjson.dumps(one))
        return
    table = Table("Id", "Channel", "Address", "Events", "Types", "Secrets", "State", box=None, pad_edge=False)
    for one in found:
        state = f"disabled: {one['disabledReason']}" if one["disabledAt"] else "active"
        wants = (" ".join(one[name]) or "all" for name in ("events", "types"))
        table.add_row(*map(escape, (one["id"], one["channel"], one["url"], *wants, str(one["secrets"]), state)))
    Console().print(table)


@app.command()
def add(  # noqa: PLR0913, PLR0917 - one parameter an option is how typer is told of them
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="https://…")],
    channel: Annotated[str, typer.Option(help="webhook, slack, discord or teams.")] = "webhook",
    name: Annotated[str | None, typer.Option("--id", help="Its id; by default one is made.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="Only this event; may be repeated.")] = None,
    type_: Annotated[list[str] | None, typer.Option("--type", help="Only this type; may be repeated.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    url: Url = None,
    key: Key = None,
    tenant: Tenant = None,
) -> None:
    """Register an endpoint. Prints its id, and the secret of a webhook: it is shown this once."""
    asked: dict[str, Any] = {"url": address, "channel": channel, "events": event or [], "types": type_ or []}
    asked |= {field: value for field, value in (("id", name), ("description", description)) if value is not None}
    made = run(api(url, key, tenant).ask("POST", _PATH, asked))
    typer.echo("\t".join(filter(None, (made["id"], made["secret"]))))


@app.command()
def rotate(
    endpoint: _Id,
    retire: Annotated[bool, typer.Option("--retire", help="Instead: let only the newest secret sign.")] = False,
    url: Url = None,
    key: Key = None,
    tenant: Tenant = None,
) -> None:
    """Make a new secret of a webhook and print it. It signs beside the old ones until they are retired."""
    asked = api(url, key, tenant)
    if retire:
        run(asked.ask("DELETE", f"{_PATH}/{endpoint}/secrets/old"))
        typer.echo(f"{endpoint}: only the newest secret signs")
    else:
        typer.echo(run(asked.ask("POST", f"{_PATH}/{endpoint}/secrets"))["secret"])


@app.command()
def ping(endpoint: _Id, url: Url = None, key: Key = None, tenant: Tenant = None) -> None:
    """Send a test message on the way of all others, and say what the endpoint answered."""
    found = run(api(url, key, tenant).ask("POST", f"{_PATH}/{endpoint}/ping"))
    took = f"{found['durationMs']} ms" if found["durationMs"] is not None else ""
    typer.echo("\t".join(filter(None, (found["state"], found["reason"], found["code"], took))))
    if found["state"] not in _TAKEN:
        raise typer.Exit(Exit.FINDING)


@app.command()
def remove(endpoint: _Id, url: Url = None, key: Key = None, tenant: Tenant = None) -> None:
    """Remove an endpoint; what waits for it fails for want of an address."""
    run(api(url, key, tenant).ask("DELETE", f"{_PATH}/{endpoint}"))
    typer.echo(f"removed {endpoint}")
