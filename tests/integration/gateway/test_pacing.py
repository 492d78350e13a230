"""What is over the limit of what a socket may be told comes as a batch, and nobody is banned for it (S10, F1-2)."""

from __future__ import annotations

import pytest

from tests.integration.gateway.clients import client, eventually, token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.scribe import Scribe
from tests.integration.gateway.test_acknowledgements import _value, module

pytestmark = pytest.mark.covers("S10", "F1-2", "F1-5")

LIMIT, SENT, PORTION = 40, 150, 50


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return ENVIRONMENT | {
        "CARILLON_TOLD_LIMIT": str(LIMIT),
        "CARILLON_TOLD_WINDOW": "10",
        "CARILLON_RESUME_LIMIT": "500",
    }


async def test_overflow_is_one_batch_for_the_module_and_nothing_special_for_others(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    user, room = f"u{name}", f"user:u{name}"
    async with module(gateways.url, user) as one, client(gateways.url, token(user)) as other:
        records = [await scribe.write(room, data={"n": number}) for number in range(SENT)]
        for number, record in enumerate(records, 1):
            await scribe.tell(record)
            if number % PORTION == 0:  # what comes in one go is shown in one go
                await other.showed(number)
        await eventually(lambda: _value(len(one.new) + sum(map(_size, one.batches)) == SENT), "all of it", deadline=45)
        told = [shown["data"]["n"] for shown in one.new]
        overflow = [shown["data"]["n"] for batch in one.batches for shown in batch["notifications"]]
        assert sorted(told + overflow) == list(range(SENT))
        assert overflow
        assert one.batches[-1]["unread_count"] == SENT
        last = await scribe.publish(room, data={"n": SENT})
        await eventually(lambda: _value(one.new[-1]["id"] == str(last.id)), "being told again as before", deadline=45)


def _size(batch: dict[str, list[object]]) -> int:
    return len(batch["notifications"])
