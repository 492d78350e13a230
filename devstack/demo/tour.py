"""The tour: publishes every example by its door and looks for it on sockets, in inboxes and in mailboxes."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from aiokafka import AIOKafkaProducer

from devstack.demo.examples import EXAMPLES, Example
from devstack.demo.people import DIRECTORY, operator_token, token
from devstack.demo.watchers import Watcher, watching
from devstack.progress import Progress
from devstack.smtp_peer import SmtpPeer

_DEADLINE = 20.0  # seconds that one event may take before it counts as lost


@dataclass
class Outcome:
    """What was seen of one example. `missing` says what was not."""

    example: Example
    notification_id: str = ""
    sockets: dict[str, float] = field(default_factory=dict)  # watcher: milliseconds from publishing
    inboxes: list[str] = field(default_factory=list)
    mailboxes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


class Tour:
    """Shows the running platform at `gateway` (its public address), with the broker at `bootstrap`."""

    def __init__(self, gateway: str, bootstrap: str, mail: SmtpPeer, progress: Progress) -> None:
        self._gateway, self._bootstrap, self._mail, self._progress = gateway, bootstrap, mail, progress

    async def show(self) -> list[Outcome]:
        """Runs the whole tour. The outcomes stand in the order of the examples."""
        async with httpx.AsyncClient(base_url=self._gateway, timeout=15) as http:
            with self._progress.step("Directory loaded: users, organisations, memberships"):
                await self._load_directory(http)
            names = sorted({name for example in EXAMPLES for name in example.shown_to})
            async with (
                watching(names, self._gateway) as watchers,
                AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all") as producer,
            ):
                self._progress.note(f"{len(watchers)} Socket.IO clients connected: {', '.join(watchers)}")
                return [await self._one(example, watchers, producer, http) for example in EXAMPLES]

    async def _load_directory(self, http: httpx.AsyncClient) -> None:
        answer = await http.post(
            "/api/v1/directory/bulk", json={"entries": DIRECTORY}, headers=_bearer(operator_token())
        )
        answer.raise_for_status()

    async def _one(
        self, example: Example, watchers: Mapping[str, Watcher], producer: AIOKafkaProducer, http: httpx.AsyncClient
    ) -> Outcome:
        outcome, correlation_id = Outcome(example), f"demo-{uuid.uuid4()}"
        began = time.monotonic()
        await self._publish(example.door, example.event(correlation_id), producer, http)
        seen = await asyncio.gather(*(watchers[name].shown(correlation_id, _DEADLINE) for name in example.shown_to))
        for name, shown in zip(example.shown_to, seen, strict=True):
            if shown is None:
                outcome.missing.append(f"socket of {name}")
                continue
            outcome.sockets[name] = (shown[0] - began) * 1000
            outcome.notification_id = shown[1]["metadata"]["notificationId"]
        await self._look_into_inboxes(outcome, http)
        await self._look_into_mailboxes(outcome)
        self._tell(outcome)
        return outcome

    async def _publish(
        self, door: str, event: Mapping[str, Any], producer: AIOKafkaProducer, http: httpx.AsyncClient
    ) -> None:
        if door == "kafka":
            await producer.send_and_wait("noti", orjson.dumps(event))
        else:
            (await http.post("/api/v1/events", json=event, headers=_bearer(operator_token()))).raise_for_status()

    async def _look_into_inboxes(self, outcome: Outcome, http: httpx.AsyncClient) -> None:
        for name in outcome.sockets:
            page = await http.get("/api/v1/notifications", params={"limit": "20"}, headers=_bearer(token(name)))
            page.raise_for_status()
            found = any(item["id"] == outcome.notification_id for item in page.json()["items"])
            (outcome.inboxes if found else outcome.missing).append(name if found else f"inbox of {name}")

    async def _look_into_mailboxes(self, outcome: Outcome) -> None:
        for name in outcome.example.mailed_to:
            found = await self._mailed(outcome.notification_id, f"{name}@example.test")
            (outcome.mailboxes if found else outcome.missing).append(name if found else f"mail to {name}")

    async def _mailed(self, notification_id: str, address: str) -> bool:
        until = time.monotonic() + _DEADLINE
        while time.monotonic() < until:
            for message in self._mail.messages:
                if address in message.recipients and message.headers["X-Carillon-Notification"] == notification_id:
                    return True
            await asyncio.sleep(0.05)
        return False

    def _tell(self, outcome: Outcome) -> None:
        mark = "[red]✗[/]" if outcome.missing else "[green]✓[/]"
        sockets = ", ".join(f"{name} {ms:.0f} ms" for name, ms in outcome.sockets.items())
        mails = f" · mail: {', '.join(outcome.mailboxes)}" if outcome.mailboxes else ""
        example = outcome.example
        self._progress.note(f"{mark} {example.name} [dim]by {example.door}[/] → sockets: {sockets} · inboxes ok{mails}")
        for missing in outcome.missing:
            self._progress.note(f"    [red]missing: {missing}[/]")


def _bearer(bearer: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {bearer}"}
