"""Directories that are filled once: also when two start together, also when the first is interrupted."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import pytest

from devstack.cache import filled_once
from devstack.together import at_once


def test_two_that_start_together_fill_it_once(tmp_path: Path) -> None:
    fillings: list[Path] = []
    both = threading.Barrier(2)

    def fill(directory: Path) -> None:
        fillings.append(directory)
        (directory / "jar").write_text("whole")

    def start() -> Path:
        both.wait()
        return filled_once(tmp_path / "cache", fill)

    at_once([start, start])
    assert len(fillings) == 1
    assert (tmp_path / "cache" / "jar").read_text() == "whole"


def test_an_interrupted_filling_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    def interrupted(directory: Path) -> None:
        (directory / "jar").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filled_once(tmp_path / "cache", interrupted)
    assert [path.name for path in tmp_path.iterdir()] == ["cache.lock"]


def test_what_a_killed_filling_left_is_removed_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "cache.partial-1").mkdir()
    filled_once(tmp_path / "cache", lambda directory: (directory / "jar").touch())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "cache.lock"]


def test_the_first_failure_of_several_actions_is_raised_while_others_go_on() -> None:
    released = threading.Event()

    def fail() -> None:
        raise LookupError("first")

    with pytest.raises(LookupError, match="first"):
        at_once([partial(released.wait, 30), fail])
    released.set()
