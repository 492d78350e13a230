"""How a command ends: its exit status, and one line on stderr when it could not do its work."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from enum import IntEnum
from typing import Any, NoReturn, TypeVar

import asyncpg
import httpx
from aiokafka.errors import KafkaError
from rich.console import Console

T = TypeVar("T")

#: Everything that went wrong in the world rather than in the command.
AWAY = (KafkaError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, httpx.TransportError, TimeoutError)


class Exit(IntEnum):
    """Exit statuses of every command."""

    FINE = 0
    FINDING = 1  # it ran, and what it found or was answered is not good
    USAGE = 2  # options or settings are wrong
    AWAY = 3  # Kafka, PostgreSQL or the service could not be reached


class Refused(Exception):
    """The command cannot do what it was asked; the message says why and what helps."""

    def __init__(self, message: str, status: Exit = Exit.FINDING) -> None:
        super().__init__(message)
        self.status = status


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end. Faults end the process with one line instead of a traceback."""
    try:
        return asyncio.run(work)
    except Refused as refused:
        fail(str(refused), refused.status)
    except AWAY as fault:
        fail(f"{type(fault).__name__}: {fault}", Exit.AWAY)


def fail(message: str, status: Exit = Exit.FINDING) -> NoReturn:
    """Ends the process."""
    Console(stderr=True, highlight=False).print(f"[red]✗[/] {_plain(message)}", soft_wrap=True)
    sys.exit(status)


def _plain(message: str) -> str:
    return message.replace("[", r"\[")
