"""Named SQL: a `.sql` file beside its adapter holds statements, each under a line `-- name: …`."""

from __future__ import annotations

import re
from pathlib import Path

_NAME = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


def load(path: Path) -> dict[str, str]:
    """The statements of a file by name. Raises ValueError when a name stands twice or nothing is named."""
    parts = _NAME.split(path.read_text())[1:]
    names, bodies = parts[::2], parts[1::2]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"{path}: every statement needs a name of its own (`-- name: …`)")
    return {name: body.strip() for name, body in zip(names, bodies, strict=True)}
