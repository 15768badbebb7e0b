"""A drafted template as YAML text, a comment beside every guess."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from parsers.drafting.fields import Certainty, Guess
from parsers.drafting.legends import CellLegend
from parsers.drafting.lines import Piece
from parsers.template import Kind
from parsers.template_parts import Field, Place

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 /()-]*")
_RESERVED = frozenset({"yes", "no", "true", "false", "null", "on", "off", "y", "n", "~"})


@dataclass(slots=True, kw_only=True)
class TableSketch:
    """A table in the making.

    Attributes:
        guesses: Its columns.
        across: Date formats of further columns headed by dates; empty where there are none.
        groups: Patterns of headings between its rows.
        above: Columns of lines that speak of the rows below them.
        group_dates: Date formats of what these headings say.
        skip: Lines between rows, each with whether it is a regular expression.
        details: Patterns of lines below a row that say more about it.
        components: Pattern of each kind of row with what it gives, where rows give one value of a record each.
        unheaded: What a column without a header prints.
    """

    guesses: tuple[Guess, ...]
    across: tuple[str, ...] = ()
    groups: list[str] = field(default_factory=list)
    group_dates: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    above: tuple[Guess, ...] = ()
    skip: list[Piece] = field(default_factory=list)
    header_on_every_page: bool = True
    unheaded: tuple[str, ...] = ()
    components: tuple[tuple[str, Field], ...] = ()


@dataclass(slots=True, kw_only=True)
class ItemsSketch:
    """A table of questions in the making.

    Attributes:
        guesses: Its columns; none where no header is printed.
        beside: What stands right of each question where no header is printed.
        labelled: Labelled values below the table that belong to it.
        summary: Labels of summary rows with what their answer and points columns mean.
    """

    instrument: str
    why: str
    guesses: tuple[Guess, ...]
    wording: tuple[str, ...]
    answers: tuple[tuple[str, int], ...] = ()
    summary: tuple[tuple[str, tuple[tuple[Field, Field], ...]], ...] = ()
    labelled: tuple[Guess, ...] = ()
    beside: Field | None = None


@dataclass(slots=True, kw_only=True)
class Sketch:
    """A template in the making.

    Attributes:
        page_guesses: Labelled values that hold for a page's records.
        continued: Patterns of lines that repeat some of these where a page goes on.
        instruments: Names the samples print that the library knows in part only, with what they seem to be.
        legend: Abbreviations that the samples explain, folded, with the instruments they stand for.
        cells: What the samples say their score cells mean.
        furniture: Patterns, each with whether it is a regular expression.
        blocks: Labels of groups of labelled values.
        sentences: Patterns of sentences that are a record each.
        sentence_groups: Patterns of lines that speak of the sentences below them.
        sentence_why: What the author should know of these.
        people: What headings of the samples print of people; none of it may stand in a draft.
    """

    id: str
    title: str
    kind: Kind
    site: str
    anchors: tuple[str, ...] = ()
    clinic: str | None = None
    names: str = "family-first"
    names_why: str = ""
    dates: tuple[str, ...] = ()
    dates_why: str = ""
    no_score: tuple[str, ...] = ()
    instruments: tuple[tuple[str, str], ...] = ()
    legend: dict[str, str] = field(default_factory=dict)
    cells: CellLegend = field(default_factory=CellLegend)
    furniture: list[Piece] = field(default_factory=list)
    page_guesses: tuple[Guess, ...] = ()
    continued: tuple[str, ...] = ()
    tables: list[TableSketch] = field(default_factory=list)
    items: list[ItemsSketch] = field(default_factory=list)
    blocks: tuple[Guess, ...] = ()
    sentences: list[str] = field(default_factory=list)
    sentence_groups: list[str] = field(default_factory=list)
    sentence_why: str = ""
    people: tuple[str, ...] = ()

    @property
    def guesses(self) -> tuple[Guess, ...]:
        """All its guesses."""
        columns = [guess for table in self.tables for guess in (*table.guesses, *table.above)]
        tables = [one for guess in columns for one in guess.single]
        items = [guess for part in self.items for guess in (*part.guesses, *part.labelled)]
        return (*self.page_guesses, *tables, *self.blocks, *items)


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
    if sketch.names_why:
        lines.append(f"names: {sketch.names}  # {sketch.names_why}")
    if sketch.no_score:
        lines.append(f"no_score: {_list(sketch.no_score)}  # such rows are counted and are no records")
    if sketch.instruments:
        lines.append("instruments:  # names that the library does not know as a whole: check each")
        lines += [f"  {_scalar(name)}: {instrument}" for name, instrument in sketch.instruments]
    if sketch.page_guesses:
        lines += ["fields:", *(_guess_line("label", guess, sketch, indent=2) for guess in sketch.page_guesses)]
    if sketch.continued:
        lines.append("continued:  # must say what the page before says")
        lines += [f"  - {_quoted(pattern)}" for pattern in sketch.continued]
    lines += _parts("table", [_table(table, sketch) for table in sketch.tables])
    lines += _parts("items", [_items(part, sketch) for part in sketch.items])
    if sketch.blocks:
        lines += ["blocks:", f"  starts_with: {_scalar(sketch.blocks[0].heading)}", "  fields:"]
        lines += [_guess_line("label", guess, sketch, indent=4) for guess in sketch.blocks]
    lines += _parts("sentences", [_sentences(pattern, sketch) for pattern in sketch.sentences])
    return "\n".join(lines) + "\n"


def _parts(key: str, parts: Sequence[list[str]]) -> list[str]:
    """One part below its key, or several as a list."""
    if len(parts) == 1:
        return [f"{key}:", *(f"  {line}" for line in parts[0])]
    lines = [f"{'- ' if not number else '  '}{line}" for part in parts for number, line in enumerate(part)]
    return [f"{key}:", *(f"  {line}" for line in lines)] if lines else []


def _table(table: TableSketch, sketch: Sketch) -> list[str]:
    lines = ["columns:", *(_guess_line("header", guess, sketch, indent=2) for guess in table.guesses)]
    if table.across:
        own = f", dates: {_list(table.across[:1])}" if table.across[:1] != sketch.dates[:1] else ""
        lines.append(f"across: {{field: authored_on{own}}}  # the other columns are headed by dates")
    if not table.header_on_every_page:
        lines.append("header_on_every_page: false")
    if table.unheaded:
        lines.append(f"unheaded: {_list(table.unheaded)}  # beside the rows, without a header, and not used: check")
    if table.groups or table.above:
        lines.append("groups:  # lines that speak of the rows below them; (?P<field>…) names what they say")
        lines += [f"  - pattern: {_quoted(pattern)}" for pattern in table.groups]
    if table.above:
        lines.append("  - columns:")
        lines += [_guess_line("header", guess, sketch, indent=6) for guess in table.above]
    if table.details:
        lines.append("details:  # lines below a row that say more about it")
        lines += [f"  - pattern: {_quoted(pattern)}" for pattern in table.details]
    if table.components:
        lines.append("components:  # what a row gives; a row that none of them describes keeps its record back")
        lines += [f"  - {{pattern: {_quoted(pattern)}, field: {field.value}}}" for pattern, field in table.components]
    return lines + _pieces("skip", table.skip, indent=0)


def _items(part: ItemsSketch, sketch: Sketch) -> list[str]:
    lines = [f"instrument: {part.instrument}  # {part.why}"]
    lines += [f"beside: {part.beside.value}  # no header is printed above the answers"] if part.beside else ["columns:"]
    lines += [_guess_line("header", guess, sketch, indent=2) for guess in part.guesses]
    lines += ["wording:  # the questions as printed, in order", *(f"  - {_scalar(text)}" for text in part.wording)]
    if part.answers:
        answers = ", ".join(f"{_scalar(text)}: {points}" for text, points in part.answers)
        lines.append(f"answers: {{{answers}}}  # check; add answers that no sample shows")
    if part.summary:
        lines.append("summary:")
        for label, cells in part.summary:
            meant = ", ".join(f"{column.value}: {meaning.value}" for column, meaning in cells)
            lines.append(f"  - {{label: {_scalar(label)}, cells: {{{meant}}}}}")
    if part.labelled:
        lines += ["fields:", *(_guess_line("label", guess, sketch, indent=2) for guess in part.labelled)]
    return lines


def _sentences(pattern: str, sketch: Sketch) -> list[str]:
    if not sketch.sentence_groups:
        return [f"pattern: {_quoted(pattern)}"]
    return [
        f"# {sketch.sentence_why}: CHECK",
        f"pattern: {_quoted(pattern)}",
        "groups:  # lines that say whose scores follow",
        *(f"  - pattern: {_quoted(group)}" for group in sketch.sentence_groups),
    ]


def _guess_line(key: str, guess: Guess, sketch: Sketch, *, indent: int) -> str:
    pattern = guess.pattern if key == "header" else None
    field = Field.PARTS if pattern is not None else guess.field
    parts = [f"{key}: {_scalar(guess.heading)}", f"field: {field.value}"]
    if guess.under is not None:
        parts.append(f"under: {_scalar(guess.under)}")
    if guess.place is not Place.RIGHT:
        parts.append(f"place: {guess.place.value}")
    if guess.instrument and guess.field is not Field.IGNORE:
        parts.append(f"instrument: {guess.instrument}")
    if guess.item is not None:
        parts.append(f"item: {_quoted(guess.item)}")
    if pattern is not None:
        parts.append(f"pattern: {_quoted(pattern)}")
    if guess.stack:
        parts.append(f"lines: [{', '.join(line.field.value for line in guess.stack)}]")
    if guess.points is not None:
        parts.append(f"points: {guess.points}")
    if guess.dates and tuple(guess.dates[:1]) != tuple(sketch.dates[:1]):
        parts.append(f"dates: {_list(guess.dates[:1])}")
    if key == "label" and guess.certainty < Certainty.SURE:
        parts.append("optional: true")
    return f"{' ' * indent}- {{{', '.join(parts)}}}  # {guess.certainty.name.lower()}: {guess.why}"


def _pieces(key: str, pieces: Sequence[Piece], *, indent: int) -> list[str]:
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
