"""Publishes over the HTTP interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from cli.adapters.api import Api, body_of
from libs.schemas.events import MAX_BATCH_BYTES, MAX_BATCH_EVENTS


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one event: its notification's id, or the problem."""

    id: str | None
    problem: str | None = None


async def publish(url: str, api_key: str, events: Sequence[bytes], idempotency_key: str | None) -> list[Answer]:
    """Posts the events in their order, in batches. Raises Refused for a whole request that is refused."""
    async with Api(url, api_key).client() as client:
        client.headers["Content-Type"] = "application/json"
        if idempotency_key:
            client.headers["Idempotency-Key"] = idempotency_key
        if len(events) == 1:
            return [_one(await client.post("/api/v1/events", content=events[0]))]
        answers: list[Answer] = []
        for batch in _batches(events):
            answers += _many(await client.post("/api/v1/events/batch", content=batch))
        return answers


def _batches(events: Sequence[bytes]) -> Iterator[bytes]:
    batch: list[bytes] = []
    size = 2
    for event in events:
        if batch and (size + len(event) + 1 > MAX_BATCH_BYTES or len(batch) == MAX_BATCH_EVENTS):
            yield b"[" + b",".join(batch) + b"]"
            batch, size = [], 2
        batch.append(event)
        size += len(event) + 1
    if batch:
        yield b"[" + b",".join(batch) + b"]"


def _one(response: httpx.Response) -> Answer:
    return Answer(str(body_of(response)["id"]))


def _many(response: httpx.Response) -> list[Answer]:
    return [_answer(item) for item in body_of(response)["results"]]


def _answer(item: dict[str, Any]) -> Answer:
    if "id" in item:
        return Answer(str(item["id"]))
    problem = item["problem"]
    field = f"{problem['field']}: " if problem.get("field") else ""
    return Answer(None, f"{field}{problem['detail']} ({problem['code']})")
