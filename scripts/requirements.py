"""Writes into docs/requirements.md which tests show which requirement: `python scripts/requirements.py [--check]`.

A test file says what it covers by `pytest.mark.covers("F0-1", …)`. Identifiers, lines and status are written by hand;
this fills in the tests, and raises `planned` to `partly` where the first one has come.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "requirements.md"
_ROW = re.compile(r"^\| (?P<id>[FSB][\d-]+) \| (?P<line>.+?) \| (?P<status>\w+) \| (?P<tests>.*?) \|$", re.MULTILINE)


def covering(root: Path = ROOT) -> dict[str, list[str]]:
    """Paths of test files, below the repository, by requirement."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((root / "tests").rglob("test_*.py")):
        for identifier in _marks(ast.parse(path.read_text())):
            found[identifier].add(path.relative_to(root).as_posix())
    return {identifier: sorted(paths) for identifier, paths in found.items()}


def _marks(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "covers":
            yield from (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))


def written(text: str, tests: dict[str, list[str]]) -> str:
    """The page with its tests filled in."""

    def row(match: re.Match[str]) -> str:
        paths = tests.get(match["id"], [])
        status = "partly" if paths and match["status"] == "planned" else match["status"]
        shown = " ".join(f"`{path.removeprefix('tests/')}`" for path in paths) or "–"
        return f"| {match['id']} | {match['line']} | {status} | {shown} |"

    return _ROW.sub(row, text)


def rows(text: str) -> dict[str, re.Match[str]]:
    """The rows of the page by identifier."""
    return {match["id"]: match for match in _ROW.finditer(text)}


def main(arguments: list[str]) -> int:
    """With `--check` only says whether the page is up to date (exit status 1 when not)."""
    before = PAGE.read_text()
    after = written(before, covering())
    if before == after:
        return 0
    if "--check" in arguments:
        sys.stderr.write("docs/requirements.md is not up to date: run scripts/requirements.py\n")
        return 1
    PAGE.write_text(after)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
