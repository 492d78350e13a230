"""Templates: sandboxed Jinja whose cost is known before it runs.

A template is text with `{{ path.into.data }}`, `{% if … %}` and `{% for item in items %}`. It cannot call, assign,
import or compute: what is left is bounded by its own length. A loop reads the first MAX_ITEMS items; a template whose
nested loops could take more than MAX_COST steps, or whose result has more than MAX_OUTPUT characters, is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, NoReturn

from jinja2 import ChainableUndefined, nodes
from jinja2 import Template as Compiled
from jinja2.exceptions import TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_ITEMS = 100
MAX_COST = 200_000
MAX_OUTPUT = 256 * 1024

_FILTERS = ("capitalize", "default", "first", "float", "int", "last", "length", "lower", "round", "title", "trim",
            "truncate", "upper", "e", "escape")  # fmt: skip
_TESTS = ("defined", "undefined", "none", "string", "number", "mapping", "sequence", "odd", "even", "eq", "ne", "lt",
          "le", "gt", "ge", "in", "true", "false", "boolean", "divisibleby")  # fmt: skip
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Name, nodes.Getattr, nodes.Getitem,
    nodes.Const, nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
    nodes.CondExpr, nodes.Slice, nodes.Neg, nodes.Keyword,
)  # fmt: skip
_ITERABLE = (nodes.Name, nodes.Getattr, nodes.Getitem)


class BadTemplate(ValueError):
    """The template cannot be used; the message names the line within it and the reason."""


class NotRendered(Exception):
    """The template does not fit what it was given: a path leads nowhere, or the result is too long."""


class _Missing(ChainableUndefined):
    """May be asked about and may be followed further, but not printed and not looped over."""

    def _refuse(self, *_: Any) -> NoReturn:
        self._fail_with_undefined_error()

    __str__ = __iter__ = __len__ = _refuse


def _printable(value: Any) -> Any:
    if isinstance(value, str | int | float | _Missing):
        return value
    raise UndefinedError(f"{type(value).__name__} is not plain text")


def _first_items(value: Any) -> Iterable[Any]:
    if isinstance(value, _Missing) or not isinstance(value, list | tuple):
        raise UndefinedError("there is no list to loop over")
    return list(islice(value, MAX_ITEMS))


def _joined(value: Any, separator: str = ", ") -> str:
    return separator.join(str(_printable(item)) for item in _first_items(value))


class _Environment(ImmutableSandboxedEnvironment):
    """Of what it is given, only the members of objects can be reached, whatever methods their type has."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext):
            return super().getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=argument)


def _environment(*, markup: bool) -> _Environment:
    made = _Environment(autoescape=markup, undefined=_Missing, finalize=_printable)
    made.globals.clear()
    kept = {name: made.filters[name] for name in _FILTERS}
    made.filters = kept | {"first_items": _first_items, "join": _joined}
    made.tests = {name: made.tests[name] for name in _TESTS} | {"==": made.tests["eq"]}
    return made


_ENVIRONMENTS = {markup: _environment(markup=markup) for markup in (False, True)}


def checked(source: str) -> str:
    """The template as it is. Raises BadTemplate."""
    _compiled(source, markup=False)
    return source


def render(source: str, context: Mapping[str, Any], *, markup: bool = False) -> str:
    """The filled template; with `markup` values are escaped for HTML. Raises BadTemplate or NotRendered."""
    compiled = _compiled(source, markup=markup)
    if isinstance(compiled, str):
        return compiled
    parts, size = [], 0
    try:
        for part in compiled.generate(context):
            parts.append(part)
            size += len(part)
            if size > MAX_OUTPUT:
                raise NotRendered(f"more than {MAX_OUTPUT} characters")
    except (TemplateError, ArithmeticError, AttributeError, TypeError, ValueError) as fault:
        raise NotRendered(str(fault)) from None
    return "".join(parts)


@lru_cache(maxsize=4_096)
def _compiled(source: str, *, markup: bool) -> Compiled | str:
    if "{" not in source:  # most titles: nothing to fill
        return source
    environment = _ENVIRONMENTS[markup]
    try:
        tree = environment.parse(source)
        cost = _cost(tree)
        if cost > MAX_COST:
            raise BadTemplate(f"its loops may take {cost} steps, at most {MAX_COST} are allowed")
        return Compiled.from_code(environment, environment.compile(tree), {})
    except TemplateSyntaxError as fault:
        raise BadTemplate(f"line {fault.lineno}: {fault.message}") from None
    except RecursionError:
        raise BadTemplate("it is nested too deeply") from None


def _cost(node: nodes.Node) -> int:
    """How many steps the node may take, with loops as long as they can be; bounds every loop on the way."""
    if not isinstance(node, _ALLOWED):
        raise BadTemplate(f"line {node.lineno}: {type(node).__name__.lower()} is not allowed in a template")
    if not isinstance(node, nodes.For):
        return 1 + sum(_cost(child) for child in node.iter_child_nodes())
    if not isinstance(node.iter, _ITERABLE) or node.recursive or node.test is not None:
        raise BadTemplate(f"line {node.lineno}: a loop runs over a path, without conditions")
    around = _cost(node.iter) + sum(_cost(child) for child in node.else_)
    node.iter = nodes.Filter(node.iter, "first_items", [], [], None, None, lineno=node.lineno)
    return around + MAX_ITEMS * (1 + sum(_cost(child) for child in node.body))
