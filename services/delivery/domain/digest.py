"""The words of a digest: how many notifications it stands for, and a line for each, the same for every channel."""

from __future__ import annotations

from collections.abc import Sequence

from services.delivery.domain.delivery import Item
from services.delivery.domain.rendering import UNTITLED, one_line

#: The type of a digest where a delivery names one.
TYPE = "digest"


def words(items: Sequence[Item]) -> tuple[str, str]:
    """Title and message (Markdown: a list) of a digest; of a single item its own."""
    if len(items) == 1:
        return one_line(items[0].title or "") or UNTITLED, items[0].message or ""
    return f"{len(items)} notifications", "\n".join(f"- {_line(item)}" for item in items)


def _line(item: Item) -> str:
    parts = (one_line(item.title or ""), one_line(item.message or ""))
    return ": ".join(part for part in parts if part) or UNTITLED
