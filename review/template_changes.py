"""What changed between two texts of a template: in the fields of its language, and line by line."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Final

from parsers.template_file import parse_template
from records.errors import TemplateError

_MOST_CHANGES: Final = 200


def field_changes(before: str, after: str) -> tuple[tuple[str, str, str], ...]:
    """Where two templates differ: place, what it was, what it is; at most 200, in the order of the language."""
    try:
        old, new = parse_template(before, source="before"), parse_template(after, source="after")
    except TemplateError:
        return ()
    was, becomes = dict(_leaves(old)), dict(_leaves(new))
    places = [*becomes, *(place for place in was if place not in becomes)]
    changed = [(place, was.get(place, "–"), becomes.get(place, "–")) for place in places]
    return tuple(one for one in changed if one[1] != one[2])[:_MOST_CHANGES]


def _leaves(value: object, place: str = "") -> list[tuple[str, str]]:
    """Every value inside a template with its place."""
    below: list[tuple[str, object]]
    if is_dataclass(value) and not isinstance(value, type):
        below = [(f"{place}.{one.name}" if place else one.name, getattr(value, one.name)) for one in fields(value)]
    elif isinstance(value, Mapping):
        below = [(f"{place}.{name}", one) for name, one in value.items()]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        below = [(f"{place}[{number}]", one) for number, one in enumerate(value, start=1)]
    else:
        return [] if value is None else [(place, str(value))]
    return [leaf for name, one in below for leaf in _leaves(one, name)]


def text_changes(before: str, after: str, old: str, new: str) -> tuple[str, ...]:
    """Where two texts differ, as lines of a unified diff: "+" is new, "-" is gone.

    Args:
        old: What the earlier text is called; `new` the later one.
    """
    return tuple(difflib.unified_diff(before.splitlines(), after.splitlines(), old, new, lineterm=""))
