"""Every settings class of the services and of the command, and what .env.example says of their variables."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

from pydantic_settings import BaseSettings

from libs.runtime.settings import ServiceSettings
from tests.unit.docs.codes import ROOT

_LINE = re.compile(r"^(?P<hidden>#?)(?P<name>CARILLON_\w+)=(?P<value>.*)$", re.MULTILINE)


def classes() -> list[type[BaseSettings]]:
    """The classes that `settings.py` files define."""
    files = [*sorted((ROOT / "services").rglob("settings.py")), ROOT / "cli" / "settings.py"]
    return [cls for file in files for cls in _defined_in(file)]


def _defined_in(file: Path) -> list[type[BaseSettings]]:
    module = importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
    found = [cls for _, cls in inspect.getmembers(module, inspect.isclass) if cls.__module__ == module.__name__]
    return [cls for cls in found if issubclass(cls, BaseSettings)]


def variables(cls: type[BaseSettings]) -> dict[str, str]:
    """Field by variable."""
    return {f"{cls.model_config.get('env_prefix', '')}{field}".upper(): field for field in cls.model_fields}


def example() -> dict[str, tuple[bool, str]]:
    """Of each variable in .env.example whether it is set there, and the value."""
    matches = _LINE.finditer((ROOT / ".env.example").read_text())
    return {match["name"]: (not match["hidden"], match["value"]) for match in matches}


def services() -> list[type[ServiceSettings]]:
    """The classes of the services themselves, one each."""
    return [cls for cls in classes() if issubclass(cls, ServiceSettings)]
