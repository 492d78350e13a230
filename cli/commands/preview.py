"""`carillon preview`: what would have differed under another catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from cli.adapters.previewing import Span
from cli.adapters.previewing import preview as previewing
from cli.commands.options import Moment, moment
from cli.domain.preview_report import Report
from cli.outcome import Exit, fail, run
from cli.settings import PostgresSettings
from cli.views import preview as view
from libs.catalogue.reading import BadCatalogue
from libs.runtime.clock import utc_now
from libs.runtime.settings import ChannelSettings, load
from services.router.settings import AudienceSettings


def preview(
    catalogue: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="YAML or JSON {types: […]}, as a tenant says it.")
    ],
    since: Annotated[str, typer.Option(metavar="TIME", help="Such as 2026-01-31T08:00Z, or 90m, 2h, 3d ago.")],
    until: Moment = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's; default all.")] = None,
    examples: Annotated[int, typer.Option(min=0, max=100, help="Of each kind of difference.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Plan recorded notifications anew with other types, without any effect, and print what would differ.

    The types are laid over the catalogue by which each was planned; people, preferences and memberships are those of
    the planning time. Nothing is written or sent.
    """
    now = utc_now()
    try:
        first, last = moment(since, now) or now, moment(until, now)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    report, rules = Report(examples), load(AudienceSettings).audience_rules
    dsn, channels = load(PostgresSettings).postgres_dsn, load(ChannelSettings).channels
    with Console(stderr=True).status("looking") as status:

        def told(so_far: Report) -> None:
            status.update(f"{so_far.looked} notifications looked at, {so_far.affected} would differ")

        try:
            run(previewing(dsn, Span(first, last, tenant), catalogue.read_text(), rules, channels, report, told))
        except BadCatalogue as bad:
            fail("\n".join(map(str, bad.faults)), Exit.USAGE)
    if as_json:
        typer.echo(orjson.dumps(report.body(), option=orjson.OPT_INDENT_2))
    else:
        view.show(report, Console())
