"""Sample notifications for somebody who develops a client: of every document, sent as its upstream services would."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from devstack.demo.examples import EXAMPLES, MEMBER, ORG
from devstack.demo.people import DIRECTORY, operator_token

_PLACE = {"lat": 52.52, "lon": 13.405}


@dataclass(frozen=True)
class Sample:
    """What is sent to which route of the gateway; the member of the demo is shown it."""

    name: str
    path: str
    body: dict[str, Any]


def _notification(type_: str, title: str, message: str, to: dict[str, Any], **more: Any) -> Sample:
    body = {"type": type_, "title": title, "message": message, "recipients": to, "channels": ["in-app"]} | more
    return Sample(type_, "/api/v1/notifications", body)


_ME, _COLLEAGUES = {"userIds": [MEMBER]}, {"orgIds": [ORG]}
_NOTIFICATIONS = (
    _notification("task.assigned", "Task assigned", "*Review* the pull request", _ME, data={"taskId": "task-7"}),
    _notification("team.mention", "Ada mentioned you", "What do you think, @mei?", _ME, data={"taskId": "task-7"}),
    _notification("workflow.approval_requested", "Approval needed", "The budget of May", _COLLEAGUES),
    _notification("contact.created", "New contact", "Grace Hopper was added", _ME, data={"contactId": "c-1"}),
    _notification("booking.created", "New booking", "Tomorrow at ten", _ME, data={"bookingId": "b-1"}),
    _notification("nearby-job", "A job near you", "Garden work, 2 km away", _ME, data={"jobId": "j-1", **_PLACE}),
    _notification("system.maintenance", "Upkeep tonight", "From 22:00 to 23:00", {"tenant": True}, severity="high"),
)


def samples() -> list[Sample]:
    """One of each, as of now."""
    shown = [example for example in EXAMPLES if MEMBER in example.shown_to]
    events = [Sample(one.name, "/api/v1/events", dict(one.event(f"mock-{uuid.uuid4()}"))) for one in shown]
    return [*events, *_NOTIFICATIONS]


async def send(gateway: str, every: float, rounds: int | None, told: Callable[[str], None]) -> None:
    """Loads the directory of the demo, then sends one sample after another, with a pause of `every` seconds.

    So many rounds of all samples, or for ever. Raises httpx.HTTPError.
    """
    bearer = {"Authorization": f"Bearer {operator_token()}"}
    async with httpx.AsyncClient(base_url=gateway, headers=bearer, timeout=15) as http:
        (await http.post("/api/v1/directory/bulk", json={"entries": DIRECTORY})).raise_for_status()
        for _ in itertools.repeat(None) if rounds is None else range(rounds):
            for sample in samples():
                (await http.post(sample.path, json=sample.body)).raise_for_status()
                told(sample.name)
                await asyncio.sleep(every)
