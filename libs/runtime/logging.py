"""Structured logs: one JSON object a line, one event name per line kind, no content and no secrets (F2-7)."""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog

_NAME = "logger_name"  # becomes `logger`, a name that structlog keeps for an argument of its own


def configure(service: str, level: str) -> None:
    """Sets up logging of the process: structlog and the standard library write the same JSON lines to stdout."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
        _named(service),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_dumps),
            ],
        )
    )
    handler.addFilter(_Seldom())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Lines of uvicorn and httpx hold whole addresses, and some of those a token.
    for chatty in ("aiokafka", "kafka", "faust", "mode", "uvicorn", "httpx", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


class _Seldom(logging.Filter):
    """Lets a Kafka client say the same kind of thing once in a while: with the broker away it says it all the time."""

    interval = 5.0

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("aiokafka"):
            return True
        kind = record.name, str(record.msg)  # the text without its arguments
        if record.created - self._last.get(kind, 0.0) < self.interval:
            return False
        self._last[kind] = record.created
        return True


def _named(service: str) -> structlog.types.Processor:
    def add(_logger: Any, _method: str, line: structlog.types.EventDict) -> structlog.types.EventDict:
        line["service"] = service
        if _NAME in line:
            line["logger"] = line.pop(_NAME)
        return line

    return add


def _dumps(line: Any, default: Any = None) -> str:
    return orjson.dumps(line, default=default or str).decode()


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose lines carry `logger: name`. Call it with an event name and fields, never with a sentence."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(**{_NAME: name})
    return logger
