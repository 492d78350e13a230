"""Reads notification types from YAML or JSON, and tells which line is wrong and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from libs.catalogue.types import NotificationType


class Fault(NamedTuple):
    """What is wrong. `line` counts from 1; `key` is the type, `field` the path within it."""

    reason: str
    key: str | None = None
    line: int | None = None
    field: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.file, self.line and f"line {self.line}", self.key) if part)
        return ": ".join(part for part in (place, self.field, self.reason) if part)


class BadCatalogue(ValueError):
    """The catalogue cannot be used; the message is the first of `faults`: file, line, type, field and reason."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(str(faults[0]))
        self.faults = tuple(faults)


class Entry(NamedTuple):
    """A type, and where it was read."""

    type: NotificationType
    line: int | None
    file: str | None


def read_types(
    text: str, file: str | None = None, make: Callable[[Any], NotificationType] = NotificationType.model_validate
) -> list[Entry]:
    """The entries of a document `{types: […]}`. Raises BadCatalogue with everything that is wrong with it.

    `make` turns what stands there into a type; it raises pydantic.ValidationError.
    """
    root, document = _composed(text, file)
    listed = document.get("types") if isinstance(document, dict) else None
    if not isinstance(listed, list) or set(document) != {"types"}:
        raise BadCatalogue([Fault("a catalogue is {types: […]} and nothing else", None, _line(root), None, file)])
    entries: list[Entry] = []
    faults: list[Fault] = []
    for number, entry in enumerate(listed):
        node = _at(root, ["types", number])
        try:
            entries.append(Entry(make(entry), _line(node), file))
        except ValidationError as error:
            faults += _faults(error, entry, node, file)
    if faults:
        raise BadCatalogue(sorted(faults, key=lambda fault: fault.line or 0))
    return entries


def faults_of(error: ValidationError, key: str | None) -> list[Fault]:
    """What is wrong with one type that did not come from a file."""
    return [Fault(_reason(fault), key, None, _field(fault["loc"])) for fault in error.errors(include_url=False)]


def _composed(text: str, file: str | None) -> tuple[yaml.Node, Any]:
    try:
        for event in yaml.parse(text, yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):  # a few lines of them can stand for gigabytes
                raise BadCatalogue([Fault("YAML aliases are not taken", None, _line(event), None, file)])
        root = yaml.compose(text, yaml.SafeLoader)
        document: Any = None if root is None else yaml.SafeLoader("").construct_document(root)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise BadCatalogue([Fault(error.problem or "not YAML", None, line, None, file)]) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise BadCatalogue([Fault(f"not YAML: {error}", None, None, None, file)]) from None
    if root is None:
        raise BadCatalogue([Fault("the document is empty", None, 1, None, file)])
    if repeated := next(_repeated(root), None):
        raise BadCatalogue([Fault(f"{repeated.value} stands twice", None, _line(repeated), None, file)])
    return root, document


def _repeated(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item)
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for name, value in node.value:
            if name.value in seen:
                yield name
            seen.add(name.value if isinstance(name, yaml.ScalarNode) else id(name))
            yield from _repeated(value)


def _faults(error: ValidationError, entry: Any, node: yaml.Node, file: str | None) -> Iterator[Fault]:
    key = entry.get("key") if isinstance(entry, dict) else None
    for fault in error.errors(include_url=False):
        line = _line(_at(node, fault["loc"]))
        yield Fault(_reason(fault), str(key) if key is not None else None, line, _field(fault["loc"]), file)


def _at(node: yaml.Node, path: Sequence[str | int]) -> yaml.Node:
    """The node at a path, or as far as it leads; for a member the node of its name, which has the line."""
    named = node
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = next(((name, value) for name, value in node.value if name.value == str(part)), None)
            if found is None:
                break
            named, node = found
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            named = node = node.value[part]
        else:
            break
    return named


def _line(node: yaml.Node | yaml.Event) -> int | None:
    return None if node.start_mark is None else node.start_mark.line + 1


def _field(loc: Sequence[str | int]) -> str | None:
    return ".".join(str(part) for part in loc if part != "[key]") or None


def _reason(fault: Any) -> str:
    return str(fault["msg"]).removeprefix("Value error, ")
