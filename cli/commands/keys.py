"""`carillon keys`: API keys of the services that publish."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.adapters import api_keys
from cli.commands.options import duration
from cli.outcome import fail, run
from cli.settings import PostgresSettings
from libs.auth.api_keys import SCOPES
from libs.auth.tokens import DEFAULT_TENANT
from libs.runtime.clock import iso, utc_now
from libs.runtime.settings import load

app = typer.Typer(help="Make, list and revoke API keys, directly in PostgreSQL.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for, like “orders service”.")],
    tenant: Annotated[str, typer.Option(help="Tenant that the key belongs to.")] = DEFAULT_TENANT,
    scope: Annotated[
        list[str] | None, typer.Option(help=f"May be repeated: {', '.join(sorted(SCOPES))}. Default events:write.")
    ] = None,
    also_tenant: Annotated[list[str] | None, typer.Option(help="A further tenant that it may name.")] = None,
    platform: Annotated[bool, typer.Option("--platform", help="May name every tenant.")] = False,
    expires: Annotated[
        timedelta | None, typer.Option(parser=duration, metavar="DURATION", help="Lifetime, like 90d; default none.")
    ] = None,
) -> None:
    """Make a key and print it. It is shown this once: only a hash is stored."""
    scopes = scope or ["events:write"]
    if unknown := sorted(set(scopes) - SCOPES):
        raise typer.BadParameter(f"unknown scope {', '.join(unknown)}; there are {', '.join(sorted(SCOPES))}")
    until = utc_now() + expires if expires else None
    grant = api_keys.Grant(tenant, name, scopes, ["*"] if platform else also_tenant or [], until)
    typer.echo(run(api_keys.create(load(PostgresSettings).postgres_dsn, grant)).text)


@app.command("list")
def list_keys(tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None) -> None:
    """List keys with their scopes and state."""
    table = Table("Key", "Tenant", "Name", "Scopes", "Further tenants", "Created", "State", box=None, pad_edge=False)
    now = utc_now()
    for row in run(api_keys.listed(load(PostgresSettings).postgres_dsn, tenant)):
        state = "active" if row["expires_at"] is None else f"until {iso(row['expires_at'])}"
        if row["expires_at"] is not None and row["expires_at"] <= now:
            state = f"expired {iso(row['expires_at'])}"
        if row["revoked_at"] is not None:
            state = f"revoked {iso(row['revoked_at'])}"
        texts = (row["key_id"], row["tenant"], row["name"], " ".join(row["scopes"]), " ".join(row["tenants"]))
        table.add_row(*map(escape, texts), iso(row["created_at"]), state)
    Console().print(table)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The middle part of ck_ID_secret.")]) -> None:
    """Revoke a key at once."""
    if not run(api_keys.revoke(load(PostgresSettings).postgres_dsn, key_id)):
        fail(f"there is no key {key_id}; `carillon keys list` shows the ids")
    typer.echo(f"revoked {key_id}")
