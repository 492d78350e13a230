"""What would differ, as a table."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.domain.preview_report import Report


def show(report: Report, console: Console) -> None:
    """Prints a row for each kind of difference, the most frequent first."""
    told = f"{report.looked} notifications looked at, {report.affected} would differ"
    console.print(told + (f", of {report.unknown} it cannot be told" if report.unknown else ""))
    if not report.counts:
        return
    table = Table("Type", "Channel", "Was", "Would be", "Times", "Such as", box=None, pad_edge=False)
    for kind, count in report.counts.most_common():
        table.add_row(*map(escape, kind), str(count), escape("\n".join(report.examples_of(kind))))
    console.print(table)
