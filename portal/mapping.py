"""How a destination file says what to send: a tree of literals whose leaves may pick fields of a record.

    "=total"        the field, which must have a value: without one the record is held
    "?=loinc"       the field, or null
    "==literal"     text that begins with an equals sign
    {for_each: "=items", give: {linkId: "=link_id"}}     a list, one entry per item; inside, fields of the item
    {lookup: "=instrument", in: {phq-9: 12}}             another word for a value; without one the record is held

A key is never left out, so that the shape in the file is the shape that is sent. Pure: same input, same output.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final
from urllib.parse import quote

from pydantic import JsonValue

from records.errors import DeliveryHeldError

# Version 1 of the record. A field never changes its meaning: a new meaning is a new name, a lost one a new version.
RECORD_VERSION: Final = 1
RECORD_FIELDS: Final = frozenset(
    {
        "external_id", "patient_id", "site", "instrument", "loinc", "total", "result", "score", "severity",
        "authored_on", "authored_time", "status", "revision", "items",
    }
)  # fmt: skip
ITEM_FIELDS: Final = frozenset({"link_id", "points"})
_FOR_EACH: Final = frozenset({"for_each", "give"})
_LOOKUP: Final = frozenset({"lookup", "in"})


class Missing:
    """What a path leads to when there is nothing, which is not the same as null."""


MISSING: Final = Missing()


def pick(tree: JsonValue, path: str) -> JsonValue | Missing:
    """What lies at a dotted path ("data.0.id"; "." is the tree itself), or `MISSING`."""
    here = tree
    for step in [] if path == "." else path.split("."):
        if isinstance(here, dict) and step in here:
            here = here[step]
        elif isinstance(here, list) and step.isdecimal() and int(step) < len(here):
            here = here[int(step)]
        else:
            return MISSING
    return here


def render(tree: JsonValue, fields: Mapping[str, JsonValue]) -> JsonValue:
    """The tree with its leaves filled in.

    Raises:
        DeliveryHeldError: A field or a word that must be there is not; the message names the field, not the value.
    """
    if isinstance(tree, str):
        return _leaf(tree, fields)
    if isinstance(tree, list):
        return [render(branch, fields) for branch in tree]
    if not isinstance(tree, dict):
        return tree
    if tree.keys() == _FOR_EACH:
        entries = render(tree["for_each"], fields)
        return (
            [render(tree["give"], entry) for entry in entries or [] if isinstance(entry, dict)]
            if isinstance(entries, list)
            else []
        )
    if tree.keys() == _LOOKUP:
        return _looked_up(tree, fields)
    return {name: render(branch, fields) for name, branch in tree.items()}


def _leaf(text: str, fields: Mapping[str, JsonValue]) -> JsonValue:
    if text.startswith("=="):
        return text[1:]
    name, required = _field_of(text)
    if name is None:
        return text
    value = fields.get(name)
    if value is None and required:
        raise DeliveryHeldError(
            f"The destination needs the field {name}, and this record has none.",
            next_step="Let the destination file say what to send instead, or reject the record.",
            code=f"missing-{name.replace('_', '-')}",
        )
    return value


def _looked_up(tree: dict[str, JsonValue], fields: Mapping[str, JsonValue]) -> JsonValue:
    value, words = render(tree["lookup"], fields), tree["in"]
    if value is None:
        return None
    if isinstance(words, dict) and str(value) in words:
        return words[str(value)]
    raise DeliveryHeldError(
        f"The destination file has no word for this value of {tree['lookup']}.",
        next_step="Add it to the lookup in the destination file.",
        code="missing-word",
    )


def _field_of(text: str) -> tuple[str | None, bool]:
    """Field name of a leaf (None for literal text) and whether it must have a value."""
    if text.startswith("?="):
        return text[2:], False
    if text.startswith("=") and not text.startswith("=="):
        return text[1:], True
    return None, False


def tree_faults(tree: JsonValue, allowed: Collection[str] = RECORD_FIELDS, *, at: str = "body") -> Iterator[str]:
    """What is wrong with a tree, one sentence each, with the path where."""
    if isinstance(tree, str):
        name, _ = _field_of(tree)
        if name is not None and name not in allowed:
            yield f"{at}: there is no field {name!r}; there are {', '.join(sorted(allowed))}"
    elif isinstance(tree, list):
        for index, branch in enumerate(tree):
            yield from tree_faults(branch, allowed, at=f"{at}.{index}")
    elif isinstance(tree, dict):
        yield from _branch_faults(tree, allowed, at=at)


def _branch_faults(tree: dict[str, JsonValue], allowed: Collection[str], *, at: str) -> Iterator[str]:
    if tree.keys() == _FOR_EACH:
        if tree["for_each"] not in ("=items", "?=items"):
            yield f"{at}.for_each: only =items or ?=items is a list"
        yield from tree_faults(tree["give"], ITEM_FIELDS, at=f"{at}.give")
    elif tree.keys() == _LOOKUP:
        if not isinstance(tree["in"], dict):
            yield f"{at}.in: a lookup needs words, each with its other word"
        yield from tree_faults(tree["lookup"], allowed, at=f"{at}.lookup")
    elif tree.keys() & {"for_each", "lookup"}:
        yield f"{at}: for_each goes with give alone, lookup with in alone"
    else:
        for name, branch in tree.items():
            yield from tree_faults(branch, allowed, at=f"{at}.{name}")


def fill_url(pattern: str, *, base_url: str, fields: Mapping[str, str | None]) -> str:
    """A URL with each `{field}` in it as one percent-encoded piece.

    Raises:
        DeliveryHeldError: A field has no value, or one that would lead to another path.
    """
    url = pattern.removeprefix("{base_url}")
    for name, value in fields.items():
        place = f"{{{name}}}"
        if place not in url:
            continue
        # Dots are never encoded: an id of dots only would climb up the path.
        if not value or not value.strip(".") or not value.isprintable():
            raise DeliveryHeldError(f"The field {name} cannot be part of an address.", code=f"missing-{name}")
        url = url.replace(place, quote(value, safe=""))
    return base_url + url


def same_value(sent: JsonValue, shown: JsonValue) -> bool:
    """Whether a portal shows what was sent, whatever type it chose: 14 is "14" and 14.0, a day is its midnight.

    Lists must have the same entries in any order that their entries can be told apart by; keys the portal added
    do not count, keys it does not show do not either.
    """
    if isinstance(sent, dict) and isinstance(shown, dict):
        return all(same_value(value, shown[name]) for name, value in sent.items() if name in shown)
    if isinstance(sent, list) and isinstance(shown, list):
        return len(sent) == len(shown) and _same_entries(sent, shown)
    if isinstance(sent, bool) or isinstance(shown, bool) or sent is None or shown is None:
        return sent is shown or (sent == [] and shown is None)
    if isinstance(sent, int | float) and isinstance(shown, int | float):
        return sent == shown
    if isinstance(sent, int | float | str) and isinstance(shown, int | float | str):
        return str(sent) == str(shown) or str(shown).startswith((f"{sent}T00:00", f"{sent} 00:00"))
    return sent == [] and shown is None


def _same_entries(sent: list[JsonValue], shown: list[JsonValue]) -> bool:
    left = list(shown)
    for entry in sent:
        match = next((index for index, other in enumerate(left) if same_value(entry, other)), None)
        if match is None:
            return False
        del left[match]
    return True
