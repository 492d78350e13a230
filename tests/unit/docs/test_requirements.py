"""docs/requirements.md has a row for every requirement, and names the tests that exist."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from tests.unit.docs.codes import ROOT

RANGES = {
    "F0-": range(1, 10),
    "F1-": range(1, 9),
    "F2-": range(1, 11),
    "F3-": range(1, 7),
    "F4-": range(1, 6),
    "S": range(1, 23),
    "B": range(1, 13),
}
IDENTIFIERS = [f"{prefix}{number}" for prefix, numbers in RANGES.items() for number in numbers]
TEXT = (ROOT / "docs" / "requirements.md").read_text()


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """scripts/requirements.py."""
    specification = importlib.util.spec_from_file_location("requirements", ROOT / "scripts" / "requirements.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_every_requirement_has_one_row(script: ModuleType) -> None:
    assert list(script.rows(TEXT)) == IDENTIFIERS
    assert len(script._ROW.findall(TEXT)) == len(IDENTIFIERS)


def test_every_mark_names_a_requirement(script: ModuleType) -> None:
    unknown = {identifier: paths for identifier, paths in script.covering().items() if identifier not in IDENTIFIERS}
    assert unknown == {}


def test_the_page_names_the_tests_that_there_are(script: ModuleType) -> None:
    assert script.written(TEXT, script.covering()) == TEXT, "run `python scripts/requirements.py`"


def test_what_is_planned_has_no_tests_and_what_is_built_has_some(script: ModuleType) -> None:
    for identifier, row in script.rows(TEXT).items():
        assert row["status"] in ("built", "partly", "planned"), identifier
        assert (row["tests"] == "–") == (row["status"] == "planned"), identifier
        for path in row["tests"].replace("`", "").split():
            assert path == "–" or (ROOT / "tests" / path).is_file(), path
