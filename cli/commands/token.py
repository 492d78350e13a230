"""`carillon token`: a token to connect with while developing."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer

from cli.commands.options import duration
from cli.settings import TokenSettings
from libs.auth import tokens
from libs.runtime.clock import utc_now
from libs.runtime.settings import load


def token(
    user: Annotated[str | None, typer.Option("--user", "-u", help="User id (claim userId).")] = None,
    agent: Annotated[str | None, typer.Option(help="Agent id (claim agentId); with or without a user.")] = None,
    tenant: Annotated[str, typer.Option(help="Tenant (claim tenantId).")] = tokens.DEFAULT_TENANT,
    org: Annotated[list[str] | None, typer.Option(help="Organisation; may be repeated.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="Role; may be repeated.")] = None,
    dept: Annotated[list[str] | None, typer.Option(help="Department; may be repeated.")] = None,
    session: Annotated[str | None, typer.Option(help="Session id (claim sessionId).")] = None,
    expires: Annotated[
        timedelta | None,
        typer.Option(parser=duration, metavar="DURATION", help="Lifetime: 90s, 15m, 8h, 30d."),
    ] = None,
) -> None:
    """Print a signed token for development.

    It is signed with CARILLON_JWT_SECRET, so it opens every gateway that has the same secret.
    """
    if user is None and agent is None:
        raise typer.BadParameter("a token needs --user or --agent")
    claims: dict[str, Any] = {
        "userId": user,
        "agentId": agent,
        "tenantId": tenant,
        "orgIds": org,
        "roles": role,
        "departments": dept,
        "sessionId": session,
    }
    given = {name: value for name, value in claims.items() if value}
    settings = load(TokenSettings)
    lifetime = settings.jwt_expires_in if expires is None else expires
    typer.echo(tokens.issue(given, settings.jwt_secret, now=utc_now(), lifetime=lifetime))
