"""Finds the codes of reasons and problems in the source, by the places where codes stand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_CODE = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")

#: Which positional argument of a call is a code.
_ARGUMENT = {
    "Problem": 1,
    "Denied": 1,
    "forbidden": 1,
    "_turned_away": 0,
    "Dead": 1,
    "condemned": 1,
    "Invalid": 0,
    "Permanent": 0,
    "Retryable": 0,
    "Overloaded": 0,
    "Uncertain": 0,
    "Unavailable": 0,
    "give_back": 0,
    "_give_back": 0,
}
_ENUMS = {"Because", "Later", "Gathered", "Withheld", "Reason"}
_MODULES = {"refusals.py", "outcome.py", "resume.py"}  # their constants are codes
_SQL_REASON = re.compile(r"\breason = (.+)$", re.MULTILINE)


def in_source() -> dict[str, str]:
    """Every code with the file that it was found in."""
    found: dict[str, str] = {}
    for folder in ("libs", "services", "cli"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for code in _of_module(ast.parse(path.read_text()), path):
                found.setdefault(code, str(path.relative_to(ROOT)))
        for path in sorted((ROOT / folder).rglob("adapters/**/*.sql")):
            for clause in _SQL_REASON.findall(path.read_text()):
                for code in re.findall(r"'([a-z-]+)'", clause):
                    found.setdefault(code, str(path.relative_to(ROOT)))
    return found


def _of_module(module: ast.Module, path: Path) -> Iterator[str]:
    for node in ast.walk(module):
        match node:
            case ast.Call():
                yield from _of_call(node)
            case ast.ClassDef(name=name) if name in _ENUMS:
                yield from _constants(node)
            case ast.Assign(targets=[ast.Name(id="code")]):
                yield from _constants(node.value)
            case _:
                pass
    if path.name in _MODULES:
        for statement in module.body:
            if isinstance(statement, ast.Assign) and _public(statement) and isinstance(statement.value, ast.Constant):
                yield from _constants(statement.value)
    if "dialects" in path.parts:
        yield from (name for statement in module.body for name in _named_after_itself(statement))
    if path.name == "errors.py" and "adapters" in path.parts:
        yield from (code for code in _constants(module) if code.startswith("provider-"))


def _public(statement: ast.Assign) -> bool:
    return all(isinstance(target, ast.Name) and not target.id.startswith("_") for target in statement.targets)


def _named_after_itself(statement: ast.stmt) -> Iterator[str]:
    match statement:  # UNAUTHORIZED = "UNAUTHORIZED": what sockets are told
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)) if name == value:
            yield name
        case _:
            pass


def _of_call(call: ast.Call) -> Iterator[str]:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    place = _ARGUMENT.get(name)
    if place is not None and len(call.args) > place:
        yield from _constants(call.args[place])
    for keyword in call.keywords:
        if keyword.arg == "code":
            yield from _constants(keyword.value)


def _constants(node: ast.AST) -> Iterator[str]:
    """The codes in an expression or class, but not in the arguments of a call or in a text that is put together."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.match(node.value):
        yield node.value
    for inner in ast.iter_child_nodes(node):
        if not isinstance(inner, ast.Call | ast.JoinedStr):
            yield from _constants(inner)
