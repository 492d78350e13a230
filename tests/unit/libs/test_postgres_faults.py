"""Which database errors pass by themselves."""

from __future__ import annotations

import asyncpg
import pytest

from libs.postgres.faults import is_data_fault, is_passing

pytestmark = pytest.mark.covers("F2-5")


@pytest.mark.parametrize(
    ("error", "passing", "data"),
    [
        (asyncpg.ConnectionDoesNotExistError("gone"), True, False),
        (asyncpg.DeadlockDetectedError("deadlock"), True, False),
        (asyncpg.ReadOnlySQLTransactionError("a standby"), True, False),
        (asyncpg.InterfaceError("connection is closed"), True, False),
        (asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"), True, False),
        (asyncpg.InternalClientError("got result for unknown protocol state 7"), False, False),
        (ConnectionRefusedError(), True, False),
        (asyncpg.CharacterNotInRepertoireError("NUL"), False, True),
        (asyncpg.UniqueViolationError("twice"), False, True),
        (asyncpg.UndefinedTableError("a fault of ours"), False, False),
        (ValueError("a fault of ours"), False, False),
    ],
)
def test_reactions(error: Exception, passing: bool, data: bool) -> None:
    assert (is_passing(error), is_data_fault(error)) == (passing, data)
