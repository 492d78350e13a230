"""docs/errors.md and the source name the same codes."""

from __future__ import annotations

import re

import pytest

from tests.unit.docs.codes import ROOT, in_source

pytestmark = pytest.mark.covers("F0-3", "B7")

_ROW = re.compile(r"^\| `([A-Za-z0-9_-]+)` \|", re.MULTILINE)
_TEXT = (ROOT / "docs" / "errors.md").read_text()


def test_every_code_of_the_source_is_explained() -> None:
    explained = set(re.findall(r"`([A-Za-z0-9_-]+)`", _TEXT))
    missing = {code: file for code, file in in_source().items() if code not in explained}
    assert missing == {}


def test_every_code_that_is_explained_is_in_the_source() -> None:
    sources = [path.read_text() for folder in ("libs", "services", "cli") for path in (ROOT / folder).rglob("*.py")]
    sources += [path.read_text() for path in (ROOT / "services").rglob("*.sql")]
    sources += [path.read_text() for path in (ROOT / "cli").rglob("*.sql")]
    everything = "\n".join(sources)
    gone = [code for code in _ROW.findall(_TEXT) if not re.search(rf"[\"']{re.escape(code)}[\"']", everything)]
    assert gone == []


def test_no_table_explains_a_code_twice() -> None:
    for section in _TEXT.split("\n## "):
        codes = _ROW.findall(section)
        assert len(codes) == len(set(codes)), section.splitlines()[0]
