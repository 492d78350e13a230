"""Master keys: what wraps data keys, how they are told, and that they are told nobody (F2-8)."""

from __future__ import annotations

import os
from uuid import uuid4

import pytest

from devstack.layout import DEVELOPMENT_SEALING_KEY
from libs.runtime.settings import load
from libs.sealing.masters import Masters, Unknown, new_master
from libs.sealing.settings import SealingSettings
from libs.sealing.values import DataKey, Tampered

pytestmark = pytest.mark.covers("F2-8")

OLD, NEW = DEVELOPMENT_SEALING_KEY, new_master()
KEY = DataKey(uuid4(), os.urandom(32))


def test_the_first_wraps_and_all_open() -> None:
    before, both, after = Masters(OLD), Masters(f"{NEW}, {OLD}"), Masters(NEW)
    wrapped = before.wrap(KEY, "acme", "ada")
    assert both.unwrap(before.current, wrapped, KEY.id, "acme", "ada") == KEY
    anew = both.wrap(KEY, "acme", "ada")
    assert both.current == after.current
    assert after.unwrap(both.current, anew, KEY.id, "acme", "ada") == KEY
    with pytest.raises(Unknown):
        after.unwrap(before.current, wrapped, KEY.id, "acme", "ada")


@pytest.mark.parametrize("whose", [("globex", "ada"), ("acme", "bob"), ("acme", "")])
def test_a_wrapped_key_is_of_use_to_nobody_else(whose: tuple[str, str]) -> None:
    masters = Masters(OLD)
    with pytest.raises(Tampered):
        masters.unwrap(masters.current, masters.wrap(KEY, "acme", "ada"), KEY.id, *whose)


def test_a_key_that_was_given_another_name_does_not_open() -> None:
    masters = Masters(OLD)
    with pytest.raises(Tampered):
        masters.unwrap(masters.current, masters.wrap(KEY, "acme", "ada"), uuid4(), "acme", "ada")


@pytest.mark.parametrize("wrong", ["", " , ", "short", OLD[:-8], f"{OLD},x", "ä" * 44, "a" * 44 + "!"])
def test_what_is_no_key_is_refused_by_the_name_of_the_variable(
    wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARILLON_SEALING_KEYS", wrong)
    with pytest.raises(SystemExit, match="2"):
        load(SealingSettings)
    told = capsys.readouterr().err
    assert told.startswith("CARILLON_SEALING_KEYS is wrong: ")
    assert OLD not in told


def test_it_must_be_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("CARILLON_SEALING_KEYS", raising=False)
    with pytest.raises(SystemExit, match="2"):
        load(SealingSettings)
    assert capsys.readouterr().err == "CARILLON_SEALING_KEYS is not set\n"


def test_secrets_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARILLON_SEALING_KEYS", OLD)
    settings = load(SealingSettings)
    assert OLD not in f"{settings!r} {settings.masters!r}"
    assert repr(KEY.secret) not in repr(KEY)
    assert settings.masters.current not in OLD
