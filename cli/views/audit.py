"""The audit as tables."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from cli.domain.accounting import Check
from cli.domain.audit_report import Report


def show(report: Report, console: Console) -> None:
    """Prints the checks, the differences found and what is in flight."""
    for part in _parts(report):
        console.print(part)


def _parts(report: Report) -> Iterator[RenderableType]:
    yield _checks(report.checks)
    for check in report.checks:
        if check.difference:
            yield _differences(check)
    if report.lags:
        yield _lags(report)
    work = report.working
    yield (
        f"In flight: {report.in_flight} "
        f"[dim]({sum(lag.records for lag in report.lags)} records, {work.expansions} expansions, "
        f"{work.router} others of the router, {work.due} deliveries due "
        f"and {work.claimed} claimed; {work.later} more wait for a later attempt)[/]"
    )
    colour = "red" if report.difference else "green"
    yield f"[{colour} bold]Difference: {report.difference}[/]"


def _checks(checks: tuple[Check, ...]) -> Table:
    table = Table("Check", "What must hold", box=None, header_style="bold", pad_edge=False)
    table.add_column("Examined", justify="right")
    table.add_column("Difference", justify="right")
    for check in checks:
        colour = "red" if check.difference else "green"
        table.add_row(check.name, check.promise, str(check.examined), f"[{colour}]{check.difference}[/]")
    return table


def _differences(check: Check) -> Table:
    table = Table("Where", "What", title=f"[red]{check.name}[/]", title_justify="left", box=None, pad_edge=False)
    for example in check.examples:
        table.add_row(escape(example.subject), escape(example.detail))
    if (rest := check.difference - sum(abs(example.amount) for example in check.examples)) > 0:
        table.add_row("…", f"and {rest} more")
    return table


def _lags(report: Report) -> Table:
    table = Table("Consumer", "Topic", "Partition", box=None, header_style="bold", pad_edge=False)
    table.add_column("In flight", justify="right")
    for lag in report.lags:
        table.add_row(lag.consumer, lag.topic, str(lag.partition), str(lag.records))
    return table
