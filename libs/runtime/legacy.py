"""The environment names that Carillon's forerunners had, read where the `CARILLON_` name of the same thing is not set.

They stand behind everything else: arguments, `CARILLON_` variables and `.env`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from dotenv import dotenv_values
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

_LEVELS = {"WARN": "WARNING", "LOG": "INFO", "VERBOSE": "DEBUG", "TRACE": "DEBUG", "FATAL": "CRITICAL"}


def _same(value: str) -> str:
    return value


def _seconds(value: str) -> float | str:
    """From milliseconds; what is no number is left for the setting to refuse."""
    try:
        return float(value) / 1000
    except ValueError:
        return value


def _level(value: str) -> str:
    return _LEVELS.get(value.upper(), value.upper())


#: (old name, setting, how its value is written there). Of two old names of one setting the first counts.
ALIASES: tuple[tuple[str, str, Callable[[str], Any]], ...] = (
    ("JWT_SECRET", "jwt_secret", _same),
    ("JWT_EXPIRES_IN", "jwt_expires_in", _same),
    ("CORS_ORIGIN", "cors_origins", _same),
    ("FRONTEND_URL", "cors_origins", _same),
    ("FRONTEND_URL", "public_url", _same),
    ("LOG_LEVEL", "log_level", _level),
    ("RATE_LIMIT_WINDOW_MS", "events_window", _seconds),
    ("RATE_LIMIT_MAX_REQUESTS", "events_limit", _same),
    ("SSE_HEARTBEAT_INTERVAL", "sse_heartbeat", _seconds),
    ("SSE_CLEANUP_INTERVAL", "sse_cleanup", _seconds),
)


class LegacyNames(PydanticBaseSettingsSource):
    """Gives those settings that the class has."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """One setting, as pydantic asks for it."""
        del field
        for name, value in self._given(field_name):
            return value, name, False
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        return {field: value for field in fields for _, value in list(self._given(field))[:1]}

    def _given(self, wanted: str) -> Iterator[tuple[str, Any]]:
        environment = {**dotenv_values(".env"), **os.environ}
        for name, field, write in ALIASES:
            if field == wanted and (value := environment.get(name)):
                yield name, write(value)


def spelled(setting: str, prefix: str) -> str:
    """The variable that gave a setting its value, for telling what is wrong."""
    own = prefix + setting.upper()
    environment = {**dotenv_values(".env"), **os.environ}
    old = [name for name, field, _ in ALIASES if field == setting and environment.get(name)]
    return own if own in environment or not old else old[0]
