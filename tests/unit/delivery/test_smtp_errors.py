"""What each SMTP answer asks for, and what of it is kept."""

from __future__ import annotations

import pytest

from services.delivery.adapters.smtp.errors import masked, of_answer
from services.delivery.errors import Fault, Overloaded, Permanent, Retryable, Unavailable

pytestmark = pytest.mark.covers("F2-5", "F2-7")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (421, Overloaded),
        (450, Overloaded),
        (451, Retryable),
        (452, Overloaded),
        (454, Unavailable),
        (500, Permanent),
        (530, Unavailable),
        (535, Unavailable),
        (550, Permanent),
        (554, Permanent),
        (600, Retryable),
        (-1, Retryable),
    ],
)
def test_reactions(code: int, kind: type[Fault]) -> None:
    fault = of_answer(code, "text")
    assert type(fault) is kind
    assert fault.code == str(code)


def test_addresses_are_not_kept() -> None:
    assert masked("5.1.1 <ada@x.test>: unknown\nada@x.test\x00") == "5.1.1 *** unknown ***"
    assert len(masked("x" * 5000)) == 200
