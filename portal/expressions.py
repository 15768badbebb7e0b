"""One JMESPath expression of a destination file: compiled once, checked against what it may name, then evaluated often.

A plain path ("data.items[0].id") is followed directly: that is most of them, it is several times faster, and it can
tell null from nothing, which JMESPath cannot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.visitor import TreeInterpreter
from pydantic import JsonValue

from portal.shapes import ANYTHING, SINGLE, Anything, Entries, Fields, Shape

if TYPE_CHECKING:
    from jmespath.visitor import _TreeNode as _Node

EVERYTHING: Final = "@"
_WHOLE: Final = re.compile(r"@|(?<!\[)\*|\b(?:record|entry)\b(?!\s*\.)")
_INTERPRETER: Final = TreeInterpreter()
_FUNCTIONS: Final = Functions.FUNCTION_TABLE


class Missing:
    """What a path leads to when there is nothing, which is not the same as null."""


MISSING: Final = Missing()


class ExpressionFaultError(ValueError):
    """An expression is wrong, or failed on a value; the message holds no value."""


class Expression:
    """A compiled expression.

    Attributes:
        text: As it is written.
        words: Every field name in it, at any depth; and `EVERYTHING` if it may pick what it does not name.
        names: The same, in their order.

    Raises:
        ExpressionFaultError: It is no JMESPath.
    """

    __slots__ = ("_node", "_steps", "names", "text", "words")

    def __init__(self, text: str) -> None:
        try:
            self._node = jmespath.compile(text).parsed
        except JMESPathError as error:
            raise ExpressionFaultError(_syntax(error)) from None
        self.text = text
        self.names = tuple(_names(self._node))
        whole = [EVERYTHING] if not self.names or _WHOLE.search(text) else []
        self.words = frozenset((*self.names, *whole))
        self._steps = _plain_steps(self._node)

    def find(self, value: JsonValue) -> JsonValue | Missing:
        """What it leads to; null of anything but a plain path is nothing.

        Raises:
            ExpressionFaultError: A function was given what it cannot work on.
        """
        if self._steps is not None:
            return _follow(self._steps, value)
        try:
            found: JsonValue = _INTERPRETER.visit(self._node, value)
        except (JMESPathError, ArithmeticError, ValueError, TypeError, RecursionError) as error:
            raise ExpressionFaultError(f"{self.text} fails ({type(error).__name__})") from None
        return MISSING if found is None else found

    def value(self, value: JsonValue) -> JsonValue:
        """What it leads to, null for nothing.

        Raises:
            ExpressionFaultError: A function was given what it cannot work on.
        """
        found = self.find(value)
        return None if isinstance(found, Missing) else found

    def holds(self, value: JsonValue) -> bool:
        """Whether it is true of a value: neither null, false nor empty. An expression that fails does not hold."""
        try:
            return is_there(self.value(value))
        except ExpressionFaultError:
            return False

    def read(self, value: JsonValue) -> JsonValue | Missing:
        """What it leads to in something a portal said, where an expression that fails finds nothing."""
        try:
            return self.find(value)
        except ExpressionFaultError:
            return MISSING

    def check(self, shape: Shape) -> tuple[Shape, list[str]]:
        """The shape of what it leads to, and what is wrong with it on values of `shape`."""
        faults: list[str] = []
        return _walk(self._node, shape, faults), faults


def is_there(value: JsonValue) -> bool:
    """Neither null, false nor empty; 0 is there."""
    return value is not None and value is not False and value != "" and value != [] and value != {}


def _syntax(error: JMESPathError) -> str:
    said = str(error).splitlines()
    return f"no JMESPath: {said[0].strip().rstrip(':')}" if said else "no JMESPath"


def _children(node: _Node) -> list[_Node]:
    return [child for child in node["children"] if isinstance(child, dict)]  # those of a slice are numbers


def _names(node: _Node) -> Iterator[str]:
    if node["type"] == "field":
        yield str(node["value"])
    for child in _children(node):
        yield from _names(child)


def _plain_steps(node: _Node) -> tuple[str | int, ...] | None:
    kind = node["type"]
    if kind in ("current", "identity"):
        return ()
    if kind in ("field", "index"):
        step = node["value"]
        return (step,) if isinstance(step, str | int) else None
    if kind not in ("subexpression", "index_expression"):
        return None
    steps = [_plain_steps(child) for child in _children(node)]
    return None if None in steps else tuple(step for part in steps if part is not None for step in part)


def _follow(steps: tuple[str | int, ...], value: JsonValue) -> JsonValue | Missing:
    here = value
    for step in steps:
        if isinstance(here, dict) and isinstance(step, str):
            if step not in here:
                return MISSING
            here = here[step]
        elif isinstance(here, list) and isinstance(step, int):
            if not -len(here) <= step < len(here):
                return MISSING
            here = here[step]
        else:
            return MISSING
    return here


def _walk(node: _Node, shape: Shape, faults: list[str]) -> Shape:  # noqa: C901  # one case for each kind of node
    """The shape a node yields on `shape`; what it names that is not there is added to `faults`."""
    children = _children(node)
    match node["type"]:
        case "field":
            return _field(str(node["value"]), shape, faults)
        case "current" | "identity" | "slice":
            return shape
        case "subexpression" if children[0]["type"] == "not_expression":
            faults.append("the ! takes the next name only: write !(a.b)")
            return ANYTHING
        case "subexpression" | "pipe" | "index_expression":
            for child in children:
                shape = _walk(child, shape, faults)
            return shape
        case "index":
            return _entry(shape)
        case "flatten":
            inner = _walk(children[0], shape, faults)
            return Entries(_entry(_entry(inner)) if isinstance(_entry(inner), Entries) else _entry(inner))
        case "projection":
            return Entries(_walk(children[1], _entry(_walk(children[0], shape, faults)), faults))
        case "filter_projection":
            entry = _entry(_walk(children[0], shape, faults))
            _walk(children[2], entry, faults)
            return Entries(_walk(children[1], entry, faults))
        case "multi_select_dict":
            return Fields({str(child["value"]): _walk(_children(child)[0], shape, faults) for child in children})
        case "function_expression":
            return _function(str(node["value"]), children, shape, faults)
        case "comparator" | "not_expression":
            for child in children:
                _walk(child, shape, faults)
            return SINGLE
        case _:
            for child in children:
                _walk(child, shape, faults)
            return ANYTHING


def _field(name: str, shape: Shape, faults: list[str]) -> Shape:
    if isinstance(shape, Fields):
        if name in shape.fields:
            return shape.fields[name]
        faults.append(f"there is no field {name!r}; there are {', '.join(sorted(shape.fields))}")
    elif isinstance(shape, Entries):
        faults.append(f"a list has no field {name!r}; [] goes through its entries")
    elif not isinstance(shape, Anything):
        faults.append(f"a single value has no field {name!r}")
    return ANYTHING


def _entry(shape: Shape) -> Shape:
    return shape.entry if isinstance(shape, Entries) else ANYTHING


def _function(name: str, arguments: list[_Node], shape: Shape, faults: list[str]) -> Shape:
    known = _FUNCTIONS.get(name)
    if known is None:
        faults.append(f"there is no function {name!r}")
        return ANYTHING
    signature = known["signature"]
    variadic = bool(signature) and bool(signature[-1].get("variadic"))
    if len(arguments) < len(signature) or (len(arguments) > len(signature) and not variadic):
        faults.append(f"the function {name} takes {len(signature)} arguments")
        return ANYTHING
    plain = [_walk(a, shape, faults) for a in arguments if a["type"] != "expref"]
    entry = next((_entry(given) for given in plain if isinstance(given, Entries)), ANYTHING)
    given = [_walk(_children(a)[0], entry, faults) for a in arguments if a["type"] == "expref"]
    if name in ("sort", "sort_by", "reverse"):
        return plain[0]
    if name in ("max_by", "min_by"):
        return entry
    return Entries(given[0]) if name == "map" and given else ANYTHING
