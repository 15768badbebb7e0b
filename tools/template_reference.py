"""Write docs/reference-template-language.md from tools/template_reference.md; `--check` only compares.

The tables of keys come from the dataclasses of the language and their docstrings; each example is read by its template,
and what it reads is printed below it. A key without a meaning, a table or an example is an error.

Run as `python -m tools.template_reference [--check]`.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import types
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Union, get_args, get_origin, get_type_hints

import yaml

from parsers import template, template_items, template_parts
from parsers.template_file import parse_template, template_schema
from parsers.template_parts import Field
from tools.printed_example import read_example, reading_table

SOURCE = Path(__file__).with_suffix(".md")
DOCUMENT = Path(__file__).parent.parent / "docs" / "reference-template-language.md"
NOTE: Final = "<!-- Written by tools/template_reference.py; edit tools/template_reference.md and the docstrings. -->"

_PLACE: Final = re.compile(r"<!-- (?:keys|words): (\w+) -->")
_EXAMPLE: Final = re.compile(r"(?:```(text|csv)\n(.*?)```\n)?```yaml\n(.*?)```\n", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"^ {8}(\w+): (.+(?:\n {12}.+)*)", re.MULTILINE)
# What an example leaves out, as it matters for other examples only.
_REST: Final = {"id": "example", "revision": 1, "anchors": ["Example"], "dates": ["%m/%d/%Y"]}
_TABLE: Final = {"table": {"columns": [{"header": "Score", "field": "total"}]}}
_PLAIN: Final = {
    str: "words",
    int: "whole number",
    bool: "true or false",
    re.Pattern[str]: "pattern",
    tuple[str, ...]: "list of words",
    dict[str, str]: "words: words",
    dict[str, int]: "words: number",
    dict[Field, Field]: "field: field",
    Field: "[field](#what-a-value-means)",
}


def page() -> str:
    """The whole document.

    Raises:
        ValueError: Something of the language is not described, or an example is not read as it should be.
    """
    source = SOURCE.read_text("utf-8")
    _check_described(source)
    used: set[tuple[str, str]] = set()

    def with_reading(found: re.Match[str]) -> str:
        return found[0] + _reading(found[2], found[3], used)

    text = _EXAMPLE.sub(with_reading, source)
    lacking = sorted(f"{part}.{key}" for part, keys in _parts().items() for key in keys if (part, key) not in used)
    if lacking:
        raise ValueError(f"no example in {SOURCE.name} uses {', '.join(lacking)}")
    text = _PLACE.sub(lambda place: "\n".join(_table(place[1])), text)
    return f"{NOTE}\n\n{text}"


def _parts() -> dict[str, tuple[str, ...]]:
    """The keys of every part of the language, by the name of its class; the JSON Schema says which there are."""
    schema = template_schema()
    inner = schema["$defs"]
    assert isinstance(inner, dict)
    named = {"Template": schema, **inner}
    return {name: tuple(part["properties"]) for name, part in named.items() if "properties" in part}


def _check_described(source: str) -> None:
    if absent := set(_parts()) - set(_PLACE.findall(source)):
        raise ValueError(f"{SOURCE.name} has no table of {', '.join(sorted(absent))}")


def _class(name: str) -> type:
    found = getattr(template, name, None) or getattr(template_parts, name, None) or getattr(template_items, name)
    assert isinstance(found, type)
    return found


def _meanings(described: type) -> dict[str, str]:
    """The Attributes of a class's docstring."""
    attributes = (described.__doc__ or "").partition("Attributes:")[2]
    return {key: " ".join(text.split()) for key, text in _ATTRIBUTE.findall(attributes)}


def _table(name: str) -> list[str]:
    described = _class(name)
    meanings = _meanings(described)
    if issubclass(described, StrEnum):
        rows = [f"| `{entry.value}` | {meanings[entry.name]} |" for entry in described]
        return [f"| {_words(name)} | meaning |", "|---|---|", *rows]
    assert dataclasses.is_dataclass(described)
    hints = get_type_hints(described, include_extras=True)
    rows = []
    for key in dataclasses.fields(described):
        if key.name not in meanings:
            raise ValueError(f"the docstring of {name} does not say what {key.name} is")
        rows.append(f"| `{key.name}` | {_plain(hints[key.name])} | {meanings[key.name]} | {_default(key)} |")
    words = _words(name)
    anchor = f'<a id="keys-{words.replace(" ", "-")}"></a>'
    return [f"{anchor}Keys ({words}):", "", "| key | type | meaning | default |", "|---|---|---|---|", *rows]


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _plain(hint: object) -> str:
    """A type as one says it."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return " or ".join(f"`{entry.value}`" for entry in hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        words = _words(hint.__name__)
        return f"[{words}](#keys-{words.replace(' ', '-')})"
    inner = get_args(hint)
    if get_origin(hint) is Annotated:
        return f"{_plain(get_args(inner[0])[0])}, or a list"
    if get_origin(hint) in (Union, types.UnionType):
        return _plain(next(part for part in inner if part is not type(None)))
    if get_origin(hint) is tuple:
        return f"list: {_plain(inner[0])}"
    raise ValueError(f"no words for the type {hint}")


def _default(key: dataclasses.Field[object]) -> str:
    if key.default is dataclasses.MISSING:
        return "needed" if key.default_factory is dataclasses.MISSING else ""
    if isinstance(key.default, bool):
        return f"`{str(key.default).lower()}`"
    return f"`{key.default}`" if key.default not in ((), None, "") else ""


def _reading(printed: str | None, written: str, used: set[tuple[str, str]]) -> str:
    """What an example's template reads in its print; without a print the template is only checked."""
    keys = yaml.safe_load(written)
    rest = {key: value for key, value in _REST.items() if key not in keys}
    rest |= {} if keys.keys() & {"table", "blocks", "items", "sentences"} else _TABLE
    example = parse_template((yaml.safe_dump(rest) if rest else "") + written, source=SOURCE.name)
    used |= _keys_of(example)
    if printed is None or "table" in rest:
        return ""
    report = read_example(printed, example)
    wrong = [*report.findings, *(finding for row in report.rows for finding in row.findings)]
    if wrong or not report.rows:
        raise ValueError(f"an example is not read: {wrong[:3]}\n{written}")
    counted = f", and {report.no_score} without a score" if report.no_score else ""
    return "\n".join([f"\nRead{counted}:\n", *reading_table(report), ""])


def _keys_of(part: object) -> set[tuple[str, str]]:
    """Class and key of everything that an example says otherwise than the default does."""
    found: set[tuple[str, str]] = set()
    if isinstance(part, tuple):
        found = {pair for inner in part for pair in _keys_of(inner)}
    elif dataclasses.is_dataclass(part) and not isinstance(part, type):
        for key in dataclasses.fields(part):
            value = getattr(part, key.name)
            said = value not in (key.default, (), {})
            found |= ({(type(part).__name__, key.name)} if said else set()) | _keys_of(value)
    return found


def main() -> int:
    """Exit status 1 when `--check` finds the document out of date."""
    wanted = page()
    if "--check" in sys.argv[1:]:
        stale = not DOCUMENT.exists() or DOCUMENT.read_text("utf-8") != wanted
        if stale:
            print(f"{DOCUMENT.name} is out of date: run python -m tools.template_reference", file=sys.stderr)
        return int(stale)
    DOCUMENT.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
