"""A report template: what a layout prints where. Plain values; `parsers.template_file` makes them from YAML.

Template ── anchors, clinics, furniture         which report it is, and what may be printed besides records
         ├─ fields                              labelled values of a page that hold for its records
         └─ table, blocks, items, sentences     where its records stand; one at least, each one or several times
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar, TypeVar

from pydantic import BeforeValidator, ConfigDict

from parsers.template_items import Items
from parsers.template_parts import (
    STRICT,
    Blocks,
    Column,
    Field,
    Furniture,
    LabelledField,
    Sentences,
    Table,
    check_groups,
)

# What may stand beside a label: furniture that describes a label with one of these would swallow a record.
_VALUES = ("Garcia, Maria", "Maria Garcia", "01/02/1980", "1980-01-02", "0012345", "14", "14 / 27", "PHQ-9")


class NameOrder(StrEnum):
    """How a name cell is written; a comma always means family name first.

    Attributes:
        FAMILY_FIRST: "Doe Jane".
        GIVEN_FIRST: "Jane Doe".
    """

    FAMILY_FIRST = "family-first"
    GIVEN_FIRST = "given-first"


class Kind(StrEnum):
    """What kind of file the layout is printed into.

    Attributes:
        PDF: A printed report.
        CSV: An export with a line per row.
    """

    PDF = "pdf"
    CSV = "csv"


def _listed(given: object) -> object:
    return given if isinstance(given, list | tuple) else (given,)


_Part = TypeVar("_Part", Table, Blocks, Items, Sentences)
# One part, or a list of several of its kind.
_Parts = Annotated[tuple[_Part, ...], BeforeValidator(_listed, json_schema_input_type=_Part | list[_Part])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One revision of one layout.

    Attributes:
        id: Lower-case name, unique among templates.
        revision: From 1.
        anchors: Words that only this layout prints, all of them on its first page.
        title: For people.
        kind: What kind of file the layout is printed into.
        clinics: Printed clinic name to site; a name of another site sends the file to review.
        furniture: Printed text that belongs to no record.
        fields: Labelled values of a page that hold for all its records.
        continued: Lines that say whose page it is where the labels of `fields` are not printed again: patterns of whole
            lines with field names as named groups. What they say must be what the page before said.
        table: Tables of a page, each found by its own header.
        blocks: Groups of labelled values.
        items: Tables of questions; each is a record of the page's person.
        sentences: Records in running text.
        dates: Date formats (`strptime`), tried in order.
        names: How name cells are written.
        no_score: What a score cell says when there is no score; an empty string means a blank cell does.
        instruments: Names this layout prints for instruments, to instrument ids.
        severities: Severity words of this layout, to the library's band labels.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: str
    revision: int
    anchors: tuple[str, ...]
    title: str = ""
    kind: Kind = Kind.PDF
    clinics: dict[str, str] = field(default_factory=dict)
    furniture: tuple[Furniture, ...] = ()
    fields: tuple[LabelledField, ...] = ()
    continued: tuple[re.Pattern[str], ...] = ()
    table: _Parts[Table] = ()
    blocks: _Parts[Blocks] = ()
    items: _Parts[Items] = ()
    sentences: _Parts[Sentences] = ()
    dates: tuple[str, ...] = ()
    names: NameOrder = NameOrder.FAMILY_FIRST
    no_score: tuple[str, ...] = ()
    instruments: dict[str, str] = field(default_factory=dict)
    severities: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.id):
            raise ValueError("an id is made of lower-case letters, digits and hyphens")
        if self.revision < 1:
            raise ValueError("revisions count from 1")
        if not any(anchor.strip() for anchor in self.anchors):
            raise ValueError("anchors are needed: words that only this layout prints")
        if not (self.table or self.blocks or self.items or self.sentences):
            raise ValueError("give at least one of table, blocks, items, sentences")
        for pattern in self.continued:
            check_groups(pattern)
            if (
                self.items
                or set(pattern.groupindex) - {str(wanted.field) for wanted in self.fields}
                or not pattern.groupindex
            ):
                raise ValueError("a line of continued names at least one of the fields, of a layout without items")
        if self.kind is Kind.CSV and (len(self.table) != 1 or self.blocks or self.items or self.sentences):
            raise ValueError("a CSV layout is one table")
        if len({part.instrument for part in self.items}) != len(self.items):
            raise ValueError("two item tables have the same instrument")
        self._check_furniture()
        if not self.dates and any(not formats for _, formats in self._dated()):
            raise ValueError("dates are needed: the format of printed dates, for instance %m/%d/%Y")

    @property
    def name(self) -> str:
        """ "id@revision"."""
        return f"{self.id}@{self.revision}"

    def date_formats(self, wanted: Field) -> tuple[str, ...]:
        """The formats in which this layout prints a date field, the likeliest first."""
        formats = [form for field, own in self._dated() if field is wanted for form in own or self.dates]
        return tuple(dict.fromkeys(formats)) or self.dates

    @property
    def headers(self) -> tuple[tuple[Column, ...], ...]:
        """The columns of every header that this layout prints."""
        tables = (columns for t in self.table for columns in (t.columns, *(group.columns for group in t.groups)))
        return tuple(columns for columns in (*tables, *(items.columns for items in self.items)) if columns)

    @property
    def labelled(self) -> tuple[LabelledField, ...]:
        """Every value found by a label."""
        parts = (*(blocks.fields for blocks in self.blocks), *(items.fields for items in self.items))
        return (*self.fields, *(field for fields in parts for field in fields))

    @property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """Every pattern with named groups: of group headings, lines below a row, cells and sentences."""
        groups = [group.pattern for table in self.table for group in table.groups if group.pattern is not None]
        details = [detail.pattern for table in self.table for detail in table.details]
        cells = [column.pattern for columns in self.headers for column in columns if column.pattern is not None]
        told = [group.pattern for part in self.sentences for group in part.groups if group.pattern is not None]
        return (*groups, *details, *cells, *told, *(part.pattern for part in self.sentences), *self.continued)

    @property
    def unread(self) -> tuple[Furniture, ...]:
        """Every piece of print that is known and not read."""
        return (*self.furniture, *(piece for table in self.table for piece in table.skip))

    def items_of(self, instrument: str | None) -> Items | None:
        """The item table of an instrument, or None."""
        return next((part for part in self.items if part.instrument == instrument), None)

    def _check_furniture(self) -> None:
        """Refuse furniture that would take a labelled value away before it is read."""
        for pattern in (piece.pattern for piece in self.unread if piece.pattern is not None):
            for label in (wording for wanted in self.labelled for wording in (wanted.label, *wanted.also)):
                if any(pattern.fullmatch(f"{label}{colon} {value}") for colon in ("", ":") for value in _VALUES):
                    raise ValueError(f"furniture {pattern.pattern!r} would take the label {label!r} and its value away")

    def _dated(self) -> Iterator[tuple[Field, tuple[str, ...]]]:
        """Every place of a date, with the formats of its own."""
        dated = (Field.BIRTH_DATE, Field.AUTHORED_ON)
        for place in self._places():
            fields = place.fields if isinstance(place, Column) else {place.field}
            yield from ((field, place.dates) for field in dated if field in fields)
        for table in self.table:
            if table.across is not None and table.across.field in dated:
                yield table.across.field, table.across.dates
        columns = [column.pattern for columns in self.headers for column in columns]
        for pattern in (each for each in self.patterns if each not in columns):
            yield from ((field, ()) for field in dated if field in pattern.groupindex)

    def _places(self) -> Iterator[Column | LabelledField]:
        for columns in self.headers:
            yield from columns
        yield from self.labelled
