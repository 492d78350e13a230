"""In quiet hours a notification says in every dialect that it makes no sound, in the room of its person alone (S13)."""

import pytest

from services.gateway.domain.dialects.dialect import Dialect
from services.gateway.domain.logs import Entry
from services.gateway.domain.notification import Place
from tests.unit.gateway.shaping import DIALECTS, record, shaped

pytestmark = pytest.mark.covers("S13")

ROOMS = (Place("user:ada", 7, 3), Place("user:bob", 7, 4))


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=list(DIALECTS))
def test_silence(dialect: Dialect) -> None:
    quiet = record(rooms=ROOMS, silent=("user:ada",))
    assert shaped(dialect, "user:ada", Entry(7, 3, quiet)).payload["silent"] is True
    assert "silent" not in shaped(dialect, "user:bob", Entry(7, 4, quiet)).payload
