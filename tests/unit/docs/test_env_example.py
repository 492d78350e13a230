""".env.example names every variable that the services and the command read, with its default."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from tests.unit.docs import settings

#: These have another default in each service.
_DIFFER = {"CARILLON_HTTP_PORT", "CARILLON_ADMIN_ROLES"}
#: What some command cannot do without.
_NEEDED = {"CARILLON_API_KEY": "ck_a_b", "CARILLON_API_URL": "https://carillon.example"}


def test_every_variable_is_there_and_no_other() -> None:
    known = {name for cls in settings.classes() for name in settings.variables(cls)}
    assert set(settings.example()) == known


@pytest.mark.parametrize("cls", settings.classes(), ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_what_is_commented_out_is_the_default(
    cls: type[BaseSettings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    example, mine = settings.example(), settings.variables(cls)
    for name, value in _NEEDED.items():
        monkeypatch.setenv(name, value)
    for name in mine:
        if example[name][0]:
            monkeypatch.setenv(name, example[name][1])
    default = cls()
    for name, field in mine.items():
        is_set, value = example[name]
        if not is_set and value:
            monkeypatch.setenv(name, value)
            assert getattr(cls(), field) == getattr(default, field), name
        elif not is_set and name not in _DIFFER and name not in _NEEDED:
            assert getattr(default, field) in (None, "", (), {}, frozenset()), f"{name} has a default to be shown"
