"""The story of a notification in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from libs.explaining.story import Delivered, Planned, Position, Story, Versions
from libs.runtime.clock import iso


def show(story: Story, console: Console) -> None:
    """Prints what is recorded, and the answers about a person where one was asked about."""
    for part in _parts(story):
        console.print(part)


def _parts(story: Story) -> Iterator[RenderableType]:
    yield _head(story)
    if story.reader is not None:
        yield _answers(story)
        if any(answer.steps for answer in story.answers):
            yield _rules(story)
    else:
        yield _rooms(story)
        if story.totals:
            yield _totals(story)
    if story.deliveries:
        yield _deliveries(story)


def _head(story: Story) -> Table:
    planned = story.notification
    named = f" ({planned.name})" if planned.name else ""
    facts = {
        "Notification": f"[bold]{planned.id}[/] in tenant {escape(planned.tenant)}",
        "Event": escape(f"{planned.event}{named}, type {planned.type}, severity {planned.severity}"),
        "Accepted": f"{iso(planned.accepted_at)} from {escape(_position(planned.source))}",
        "Planned": f"{iso(planned.planned_at)} with {escape(_versions(story.versions))}",
        "Audience": escape(f"by rule {planned.rule}" + _noted(planned)),
        "Time": escape(", ".join(_times(story)) or "at once, and for ever"),
        "Trace": planned.traceparent or "none",
    }
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, fact in facts.items():
        table.add_row(f"[dim]{name}[/]", fact)
    return table


def _versions(versions: Versions) -> str:
    numbers = {"preferences": versions.preferences, "tenant's preferences": versions.tenant_preferences}
    said = [f"{name} {number}" for name, number in numbers.items() if number is not None]
    return ", ".join((f"catalogue {versions.catalogue}", *said))


def _times(story: Story) -> Iterator[str]:
    planned = story.notification
    if story.scheduled is not None:
        yield f"scheduled for {iso(story.scheduled.due_at)} ({story.scheduled.state})"
    if planned.expires_at is not None:
        yield f"expires at {iso(planned.expires_at)}"
    if planned.collapse_key is not None:
        yield f"collapse key {planned.collapse_key}"
    if planned.cancelled_at is not None:
        yield f"cancelled at {iso(planned.cancelled_at)}"


def _position(source: Position) -> str:
    return "HTTP" if source.topic == "http" else f"{source.topic}:{source.partition}:{source.offset}"


def _noted(planned: Planned) -> str:
    excluded = (f"without {', '.join(planned.excluded)}",) if planned.excluded else ()
    said = ", ".join((*planned.notes, *excluded))
    return f"; {said}" if said else ""


def _rooms(story: Story) -> RenderableType:
    if not story.rooms and not story.expansions:
        return "Not in any room: it has no in-app entry."
    table = Table("Room", "Seq", "At", "", box=None, header_style="bold", pad_edge=False)
    for room in story.rooms:
        table.add_row(escape(room.room), str(room.seq), iso(room.at), room.because or "")
    for group in story.expansions:
        state = "all members decided" if group.done_at else f"members decided up to {group.cursor!r}"
        said = f"{', '.join(group.channels)}: {state}, {group.decided} so far"
        table.add_row(escape(group.room), "", iso(group.as_of), escape(said))
    return table


def _totals(story: Story) -> Table:
    table = Table("Channel", "State", "Reason", "People", box=None, header_style="bold", pad_edge=False)
    for total in story.totals:
        table.add_row(total.channel, total.state, total.reason, str(total.people))
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


def _rules(story: Story) -> Table:
    """The rules that were asked, the channels side by side."""
    ruled = [answer for answer in story.answers if answer.steps]
    table = Table(
        "", "Rule", *(escape(answer.where) for answer in ruled), box=None, header_style="bold", pad_edge=False
    )
    table.title, table.title_justify = "By the rules of that time [dim](derived)[/]", "left"
    for steps in zip(*(answer.steps for answer in ruled), strict=True):
        if any(step.outcome != "not asked" for step in steps):
            said = [step.outcome + (f": {step.why}" if step.why else "") for step in steps]
            table.add_row(str(steps[0].line), steps[0].rule, *map(escape, said))
    return table


def _deliveries(story: Story) -> Table:
    table = Table(
        "Delivery", "User", "Channel", "State", "Reason", "Next", box=None, header_style="bold", pad_edge=False
    )
    for delivery in story.deliveries:
        due = iso(delivery.next_attempt_at) if delivery.next_attempt_at else _collected(delivery)
        row = (delivery.channel, delivery.state, delivery.reason, due)
        table.add_row(str(delivery.id), escape(delivery.user_id), *row)
        for attempt in delivery.tried:
            said = " ".join(filter(None, (attempt.code, attempt.detail)))
            tried = f"  attempt {attempt.attempt} by {attempt.provider}, {attempt.duration_ms} ms"
            table.add_row(tried, "", "", attempt.outcome, escape(said), iso(attempt.started_at))
    return table


def _collected(delivery: Delivered) -> str:
    digest = delivery.digest
    return "" if digest is None else escape(f"with digest {digest.key}, {iso(digest.closed_at or digest.closes_at)}")
