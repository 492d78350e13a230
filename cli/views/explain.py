"""The story of a notification in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from cli.domain.story import Row, Story
from libs.runtime.clock import iso


def show(story: Story, console: Console) -> None:
    """Prints what is recorded, and the answers about a person where one was asked about."""
    for part in _parts(story):
        console.print(part)


def _parts(story: Story) -> Iterator[RenderableType]:
    yield _head(story.notification)
    if story.reader is not None:
        yield _answers(story)
    else:
        yield _rooms(story)
        if story.totals:
            yield _totals(story)
    if story.deliveries:
        yield _deliveries(story)


def _head(row: Row) -> Table:
    source, audience = row["source"], row["audience"]
    named = f" ({row['name']})" if row["name"] else ""
    facts = {
        "Notification": f"[bold]{row['id']}[/] in tenant {escape(row['tenant'])}",
        "Event": escape(f"{row['event']}{named}, type {row['type']}, severity {row['severity']}"),
        "Accepted": f"{iso(row['accepted_at'])} from {escape(_position(source))}",
        "Planned": f"{iso(row['planned_at'])} with catalogue {escape(row['catalogue_version'])}",
        "Audience": escape(f"by rule {audience.get('rule')}" + _noted(audience)),
        "Trace": row["traceparent"] or "none",
    }
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, fact in facts.items():
        table.add_row(f"[dim]{name}[/]", fact)
    return table


def _position(source: Row) -> str:
    return "HTTP" if source["topic"] == "http" else f"{source['topic']}:{source['partition']}:{source['offset']}"


def _noted(audience: Row) -> str:
    return f"; {', '.join(audience['notes'])}" if audience.get("notes") else ""


def _rooms(story: Story) -> RenderableType:
    if not story.entries:
        return "Not in any room: it has no in-app entry."
    table = Table("Room", "Seq", "At", box=None, header_style="bold", pad_edge=False)
    for row in story.entries:
        table.add_row(escape(row["room"]), str(row["seq"]), iso(row["at"]))
    for row in story.expansions:
        state = "all members decided" if row["done_at"] else f"members decided up to {row['cursor']!r}"
        table.add_row(
            escape(row["room"]), "", escape(f"{', '.join(row['channels'])}: {state}, {row['planned']} so far")
        )
    return table


def _totals(story: Story) -> Table:
    table = Table("Channel", "State", "Reason", "People", box=None, header_style="bold", pad_edge=False)
    for row in story.totals:
        table.add_row(row["channel"], row["state"], row["reason"], str(row["people"]))
    return table


def _answers(story: Story) -> Table:
    table = Table("Where", "What", "Why", "", box=None, header_style="bold", pad_edge=False)
    table.title, table.title_justify = f"For [bold]{escape(story.reader or '')}[/]", "left"
    for answer in story.answers:
        derived = " [dim](derived)[/]" if answer.derived else ""
        table.add_row(escape(answer.where), answer.state, answer.reason, escape(answer.detail) + derived)
    if story.state is not None:
        table.add_row("[dim]since[/]", story.state, "", "")
    return table


def _deliveries(story: Story) -> Table:
    table = Table(
        "Delivery", "User", "Channel", "State", "Reason", "Next", box=None, header_style="bold", pad_edge=False
    )
    for row in story.deliveries:
        due = iso(row["next_attempt_at"]) if row["next_attempt_at"] else ""
        table.add_row(str(row["id"]), escape(row["user_id"]), row["channel"], row["state"], row["reason"], due)
        for attempt in story.attempts.get(row["id"], []):
            said = " ".join(filter(None, (attempt["code"], attempt["detail"])))
            tried = f"  attempt {attempt['attempt']} by {attempt['provider']}, {attempt['duration_ms']} ms"
            table.add_row(tried, "", "", attempt["outcome"], escape(said), iso(attempt["started_at"]))
    return table
