"""The contract of providers: whatever may happen to a call becomes the same kind of fault with every one of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from devstack.ports import free_port
from services.delivery.domain.outcome import Sent
from services.delivery.errors import Fault, Invalid, Permanent, Retryable, Uncertain
from services.delivery.ports import Provider
from tests.integration.delivery.asked import TIMEOUT, Asked
from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.wire import silence
from tests.integration.delivery.providers import PROVIDERS

pytestmark = pytest.mark.covers("F2-5", "F2-7")


@pytest.fixture(params=list(PROVIDERS))
async def asked(request: pytest.FixtureRequest) -> AsyncIterator[Asked]:
    """Each provider in turn, with its peer."""
    async with PROVIDERS[request.param]() as asked:
        yield asked


async def _fault(asked: Asked, provider: Provider | None = None) -> Fault:
    with pytest.raises(Fault) as raised:
        async with asyncio.timeout(3 * TIMEOUT):
            await (provider or asked.provider).send(asked.delivery)
    for said in (raised.value.detail or "", raised.value.code or ""):
        assert not any(secret in said for secret in ("ada@", "+15", "Some **words**", "whsec_", "/hook"))
    return raised.value


async def test_accepted(asked: Asked) -> None:
    assert isinstance(await asked.provider.send(asked.delivery), Sent)
    assert isinstance(await asked.provider.send(asked.delivery), Sent)  # on a connection that is used again
    assert asked.received() == 2


async def test_slow_is_not_lost(asked: Asked) -> None:
    asked.behave(Case.SLOW)
    assert isinstance(await asked.provider.send(asked.delivery), Sent)
    assert asked.received() == 1


async def test_throttled(asked: Asked) -> None:
    asked.behave(Case.THROTTLED)
    fault = await _fault(asked)
    assert type(fault) is asked.throttled
    assert fault.reason == "provider-overloaded"
    assert fault.after == (7.0 if asked.tells_when else 0.0)


async def test_a_bad_address_is_the_end(asked: Asked) -> None:
    asked.behave(Case.BAD_ADDRESS)
    fault = await _fault(asked)
    assert isinstance(fault, Permanent | Invalid)
    assert asked.addresses.gone == list(asked.removed)


async def test_a_server_error(asked: Asked) -> None:
    asked.behave(Case.SERVER_ERROR)
    assert type(await _fault(asked)) is asked.server_error


async def test_a_time_out_before_the_request_was_sent_is_not_uncertain(asked: Asked) -> None:
    async with silence() as port:
        assert type(await _fault(asked, asked.silent(port))) is asked.unreachable
    assert asked.received() == 0


async def test_nobody_there(asked: Asked) -> None:
    assert type(await _fault(asked, asked.silent(free_port()))) is asked.unreachable


async def test_a_time_out_after_the_request_was_sent_is_uncertain(asked: Asked) -> None:
    asked.behave(Case.SILENT)
    assert type(await _fault(asked)) is Uncertain
    assert asked.received() == 1


async def test_a_connection_reset_in_the_middle_is_uncertain(asked: Asked) -> None:
    asked.behave(Case.RESET)
    assert type(await _fault(asked)) is Uncertain
    assert asked.received() == 1


async def test_an_answer_that_makes_no_sense_is_no_success(asked: Asked) -> None:
    asked.behave(Case.MALFORMED)
    assert isinstance(await _fault(asked), Retryable | Uncertain)
    asked.behave(Case.ACCEPTED)
    assert isinstance(await asked.provider.send(asked.delivery), Sent)  # on a fresh connection
