"""A drafted template as YAML text, a comment beside every guess."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from parsers.drafting.fields import Certainty, Guess
from parsers.template import Kind
from parsers.template_parts import Field, Place

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 /()-]*")
_RESERVED = frozenset({"yes", "no", "true", "false", "null", "on", "off", "y", "n", "~"})


@dataclass(slots=True, kw_only=True)
class Sketch:
    """A template in the making.

    Attributes:
        layout: "table", "blocks" or "items".
        guesses: Columns of the table, or labels of the blocks.
        page_guesses: Labelled values of a page, beside an item table.
        furniture: Patterns, each with whether it is a regular expression.
        wording: Questions of an item table.
        summary: Labels of summary rows with what their answer and points columns mean.
    """

    id: str
    title: str
    kind: Kind
    layout: str
    site: str
    guesses: tuple[Guess, ...]
    anchors: tuple[str, ...] = ()
    clinic: str | None = None
    names: str = "family-first"
    names_why: str = ""
    dates: tuple[str, ...] = ()
    dates_why: str = ""
    no_score: tuple[str, ...] = ()
    furniture: list[tuple[str, bool]] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    skip: list[tuple[str, bool]] = field(default_factory=list)
    header_on_every_page: bool = True
    instrument: str | None = None
    page_guesses: tuple[Guess, ...] = ()
    wording: tuple[str, ...] = ()
    answers: tuple[tuple[str, int], ...] = ()
    summary: tuple[tuple[str, tuple[tuple[Field, Field], ...]], ...] = ()
    instrument_why: str = ""


def written(sketch: Sketch, samples: Sequence[str]) -> str:
    """The template as YAML."""
    lines = [
        f"# Drafted from {', '.join(samples)}. Check what is marked “guess” and “check”, then test and publish.",
        f"id: {sketch.id}",
        "revision: 1",
        f"title: {_scalar(sketch.title)}",
    ]
    if sketch.kind is Kind.CSV:
        lines.append("kind: csv")
    lines.append(f"anchors: {_list(sketch.anchors)}  # together they must be printed by this layout only: check")
    if sketch.clinic:
        lines.append(
            f"clinics: {{{_scalar(sketch.clinic)}: {_scalar(sketch.site)}}}  # a line that reads like a clinic's name"
        )
    else:
        lines.append(f"# clinics: {{Printed Name: {_scalar(sketch.site)}}}  # no clinic's name was recognised")
    lines += _pieces("furniture", sketch.furniture, indent=0)
    if sketch.dates:
        lines.append(f"dates: {_list(sketch.dates)}" + (f"  # {sketch.dates_why}" if sketch.dates_why else ""))
    if any(guess.field is Field.NAME for guess in (*sketch.guesses, *sketch.page_guesses)):
        lines.append(f"names: {sketch.names}  # {sketch.names_why}")
    if sketch.no_score:
        lines.append(f"no_score: {_list(sketch.no_score)}  # such rows are counted and are no records")
    body = {"table": _table, "blocks": _blocks, "items": _items}[sketch.layout]
    return "\n".join([*lines, *body(sketch)]) + "\n"


def _table(sketch: Sketch) -> list[str]:
    lines = ["table:"]
    if not sketch.header_on_every_page:
        lines.append("  header_on_every_page: false")
    lines.append("  columns:")
    lines += [_guess_line("header", guess, sketch, indent=4) for guess in sketch.guesses]
    if sketch.groups:
        lines.append("  groups:  # lines above the rows they speak of; name what they say with (?P<field>…)")
        lines += [f"    - pattern: {_quoted(pattern)}" for pattern in sketch.groups]
    return lines + _pieces("skip", sketch.skip, indent=2)


def _blocks(sketch: Sketch) -> list[str]:
    lines = ["blocks:", f"  starts_with: {_scalar(sketch.guesses[0].heading)}", "  fields:"]
    return lines + [_guess_line("label", guess, sketch, indent=4) for guess in sketch.guesses]


def _items(sketch: Sketch) -> list[str]:
    lines = ["fields:", *(_guess_line("label", guess, sketch, indent=2) for guess in sketch.page_guesses), "items:"]
    lines.append(f"  instrument: {sketch.instrument}  # {sketch.instrument_why}")
    lines.append("  columns:")
    lines += [_guess_line("header", guess, sketch, indent=4) for guess in sketch.guesses]
    lines += [
        "  wording:  # the questions as printed, in order",
        *(f"    - {_scalar(text)}" for text in sketch.wording),
    ]
    if sketch.answers:
        answers = ", ".join(f"{_scalar(text)}: {points}" for text, points in sketch.answers)
        lines.append(f"  answers: {{{answers}}}  # from the points beside them: add answers the sample does not show")
    if sketch.summary:
        lines.append("  summary:")
        for label, cells in sketch.summary:
            meant = ", ".join(f"{column.value}: {meaning.value}" for column, meaning in cells)
            lines.append(f"    - {{label: {_scalar(label)}, cells: {{{meant}}}}}")
    return lines


def _guess_line(key: str, guess: Guess, sketch: Sketch, *, indent: int) -> str:
    parts = [f"{key}: {_scalar(guess.heading)}", f"field: {guess.field.value}"]
    if guess.place is not Place.RIGHT:
        parts.append(f"place: {guess.place.value}")
    if guess.field is Field.TOTAL and guess.instrument:
        parts.append(f"instrument: {guess.instrument}")
    if guess.dates and tuple(guess.dates[:1]) != tuple(sketch.dates[:1]):
        parts.append(f"dates: {_list(guess.dates[:1])}")
    if sketch.layout != "table" and key == "label" and guess.certainty < Certainty.SURE:
        parts.append("optional: true")
    return f"{' ' * indent}- {{{', '.join(parts)}}}  # {guess.certainty.name.lower()}: {guess.why}"


def _pieces(key: str, pieces: Sequence[tuple[str, bool]], *, indent: int) -> list[str]:
    if not pieces:
        return []
    space = " " * indent
    lines = [f"{space}{key}:  # printed and not used"]
    for text, is_pattern in pieces:
        lines.append(f"{space}  - pattern: {_quoted(text)}" if is_pattern else f"{space}  - text: {_scalar(text)}")
    return lines


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(_scalar(value) for value in values)}]"


def _scalar(text: str) -> str:
    plain = _PLAIN.fullmatch(text) is not None and text.casefold() not in _RESERVED and not text.endswith(" ")
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    # A single-quoted scalar keeps backslashes; what it cannot hold is written as JSON, which YAML reads too.
    printable = text.isprintable()
    return "'" + text.replace("'", "''") + "'" if printable else json.dumps(text)
