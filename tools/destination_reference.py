"""Write docs/reference-destinations.md from tools/destination_reference.md; `--check` only compares.

The tables of fields come from `portal.record_shape`, those of keys from `portal.destination_file` and its docstrings. A
key without a meaning is an error, and so is a part of the file without a table.

Run as `python -m tools.destination_reference [--check]`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typing_extensions import get_type_hints, is_typeddict

from portal import destination_file, record_shape

SOURCE = Path(__file__).with_suffix(".md")
DOCUMENT = Path(__file__).parent.parent / "docs" / "reference-destinations.md"
NOTE: Final = "<!-- Written by tools/destination_reference.py; edit the .md beside it, and the docstrings. -->"

_FIELDS: Final = re.compile(r"<!-- fields: (\w+) -->")
_KEYS: Final = re.compile(r"<!-- keys: (\w+) -->")
_ATTRIBUTE: Final = re.compile(r"^ {8}(\w+): (.+(?:\n {12}.+)*)", re.MULTILINE)
_KINDS: Final = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def page() -> str:
    """The whole document.

    Raises:
        ValueError: A key is not described, or a part of the file has no table.
    """
    source = SOURCE.read_text("utf-8")
    lacking = {part.__name__ for part in _parts()} - set(_KEYS.findall(source))
    if lacking:
        raise ValueError(f"{SOURCE.name} has no table of {', '.join(sorted(lacking))}")
    text = _FIELDS.sub(lambda place: "\n".join(_fields(place[1])), source)
    return f"{NOTE}\n\n{_KEYS.sub(lambda place: chr(10).join(_keys(place[1])), text)}"


def _parts() -> list[type[BaseModel]]:
    """Every part of a destination file that is not described beside another."""
    found = [part for part in vars(destination_file).values() if isinstance(part, type) and issubclass(part, BaseModel)]
    whole = [part for part in found if not any(part in other.__mro__[1:] for other in found)]
    return [part for part in whole if not part.__name__.startswith("_")]


def _fields(name: str) -> list[str]:
    """The table of a declared record, and of each record inside it."""
    rows = ["| field | kind | meaning |", "|---|---|---|"]
    inner: list[type] = []
    for field, hint in get_type_hints(getattr(record_shape, name), include_extras=True).items():
        declared, meaning = get_args(hint)
        rows.append(f"| `{field}` | {_kind(declared)} | {meaning} |")
        inner += [part for part in _records(declared) if part not in inner]
    for part in inner:
        about = (part.__doc__ or "").strip().splitlines()[0]
        rows += ["", f"`{_word(part)}`: {about}", "", *_fields(part.__name__)]
    return rows


def _records(declared: object) -> Iterator[type]:
    if isinstance(declared, type) and is_typeddict(declared):
        yield declared
    for argument in get_args(declared):
        yield from _records(argument)


def _word(record: type) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", record.__name__.removesuffix("Fields")).lower()


def _kind(declared: object) -> str:
    if isinstance(declared, type) and is_typeddict(declared):
        return f"`{_word(declared)}`"
    if declared in _KINDS:
        return _KINDS[declared]  # type: ignore[index]
    arguments = get_args(declared)
    if get_origin(declared) is list:
        return f"list of {_kind(arguments[0])}"
    if get_origin(declared) is dict:
        return "object"
    if get_origin(declared) is Annotated:
        return _kind(arguments[0])
    kinds = [_kind(argument) for argument in arguments if argument is not type(None)]
    return " or ".join(kinds) + (" or null" if type(None) in arguments else "")


def _keys(name: str) -> list[str]:
    part = next(part for part in _parts() if part.__name__ == name)
    meanings: dict[str, str] = {}
    for described in reversed(part.__mro__):
        attributes = (described.__doc__ or "").partition("Attributes:")[2]
        meanings |= {key: " ".join(text.split()) for key, text in _ATTRIBUTE.findall(attributes)}
    rows = ["| key | meaning | without it |", "|---|---|---|"]
    for key, field in part.model_fields.items():
        if key not in meanings:
            raise ValueError(f"the docstring of {name} does not say what {key} is")
        meaning = meanings[key].replace("|", "\\|")
        rows.append(f"| `{field.alias or key}` | {meaning} | {_default(field)} |")
    return rows


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, tuple) and default:
        return f"`[{', '.join(str(entry) for entry in default)}]`"
    return f"`{default}`" if isinstance(default, str | int) and default != "" else ""


def main() -> int:
    """Exit status 1 when `--check` finds the document out of date."""
    wanted = page()
    if "--check" in sys.argv[1:]:
        stale = not DOCUMENT.exists() or DOCUMENT.read_text("utf-8") != wanted
        if stale:
            print(f"{DOCUMENT.name} is out of date: run python -m tools.destination_reference", file=sys.stderr)
        return int(stale)
    DOCUMENT.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
