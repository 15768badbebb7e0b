"""A report template: what a layout prints where. Plain values; `parsers.template_file` makes them from YAML.

Template ── anchors, clinics, furniture         which report it is, and what may be printed besides records
         ├─ fields                              labelled values of a page that hold for its records
         └─ one of  table                       a record per row (or per score column of a row)
                    blocks                      a record per group of labelled values
                    items                       a record per page, one row per question
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict

_STRICT = ConfigDict(extra="forbid")


class Field(StrEnum):
    """What a printed value means."""

    NAME = "name"
    FAMILY = "family"
    GIVEN = "given"
    MIDDLE = "middle"
    SUFFIX = "suffix"
    BIRTH_DATE = "birth_date"
    MRN = "mrn"
    SEX = "sex"
    PHONE = "phone"
    INSTRUMENT = "instrument"
    TOTAL = "total"
    RESULT = "result"
    SEVERITY = "severity"
    AUTHORED_ON = "authored_on"
    AUTHORED_TIME = "authored_time"
    LABEL = "label"  # wording of a question, in item tables only
    ANSWER = "answer"  # answer in words, in item tables only
    POINTS = "points"  # points of an answer, in item tables only
    IGNORE = "ignore"  # printed, known, and not used


class NameOrder(StrEnum):
    """How a name cell is written; a comma always means family name first."""

    FAMILY_FIRST = "family-first"
    GIVEN_FIRST = "given-first"


class Place(StrEnum):
    """Where a value stands, seen from its label."""

    RIGHT = "right"
    BELOW = "below"
    ABOVE = "above"


class RowRule(StrEnum):
    """What separates the rows of a table."""

    AUTO = "auto"  # printed lines where there are some, else lines of text
    RULED = "ruled"
    LINES = "lines"


class Kind(StrEnum):
    """What kind of file the layout is printed into."""

    PDF = "pdf"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Furniture:
    """Printed text that belongs to no record: titles, page numbers, legends.

    It must fill a whole run of words (a run ends at a gap wider than a space), so that it can never
    swallow a word out of a cell.

    Attributes:
        text: Exact words, compared without regard to case and spacing; or
        pattern: A regular expression for the whole run.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    text: str | None = None
    pattern: re.Pattern[str] | None = None

    def __post_init__(self) -> None:
        if (self.text is None) == (self.pattern is None):
            raise ValueError("give either text or pattern")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table, found by the words of its header.

    Attributes:
        header: Words of the header, over however many lines it is printed.
        also: Other wordings of the same header.
        field: What its cells mean.
        instrument: For a score column: the instrument whose total it holds.
        dates: Date format, if it differs from the template's.
        optional: The column may be missing.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    header: str
    field: Field
    also: tuple[str, ...] = ()
    instrument: str | None = None
    dates: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupHeading:
    """A line inside a table that says something about the rows below it.

    Attributes:
        pattern: Regular expression of the whole line; its named groups are field names ("authored_on").
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    pattern: re.Pattern[str]

    def __post_init__(self) -> None:
        unknown = sorted(set(self.pattern.groupindex) - {str(f) for f in Field})
        if unknown:
            raise ValueError(f"no field is called {', '.join(unknown)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A record per row, or per score column of a row.

    Attributes:
        columns: From left to right, every printed column.
        rows: What separates rows.
        groups: Headings between rows that apply to the rows below.
        skip: Lines between rows without a record: subtotals, rulers made of dashes.
        header_on_every_page: False: a page without the header goes on with the columns of the page before.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    columns: tuple[Column, ...]
    rows: RowRule = RowRule.AUTO
    groups: tuple[GroupHeading, ...] = ()
    skip: tuple[Furniture, ...] = ()
    header_on_every_page: bool = True

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("a table needs columns")
        totals = [c for c in self.columns if c.field in (Field.TOTAL, Field.RESULT)]
        if not totals:
            raise ValueError("a table needs a column with field total or result")
        if len(totals) > 1 and any(c.instrument is None for c in totals):
            raise ValueError("with several score columns each needs its instrument")
        single = [
            c.field for c in self.columns if c.field not in (Field.TOTAL, Field.RESULT, Field.SEVERITY, Field.IGNORE)
        ]
        if len(single) != len(set(single)):
            raise ValueError("a field has two columns")
        if any(c.field in _ITEM_FIELDS for c in self.columns):
            raise ValueError("label, answer and points belong into items")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledField:
    """A value found by the words beside it.

    Attributes:
        label: Words of the label; a colon after it may or may not be printed.
        also: Other wordings of the label.
        field: What the value means.
        place: Where the value stands.
        instrument: For a total: the instrument it belongs to.
        dates: Date format, if it differs from the template's.
        optional: The label may be missing.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    label: str
    field: Field
    also: tuple[str, ...] = ()
    place: Place = Place.RIGHT
    instrument: str | None = None
    dates: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """A record per group of labelled values; several to a page, in columns or below each other.

    Attributes:
        starts_with: The label that begins a record; one of the fields' labels.
        fields: Its labelled values.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    starts_with: str
    fields: tuple[LabelledField, ...]

    def __post_init__(self) -> None:
        if self.starts_with not in {f.label for f in self.fields}:
            raise ValueError("starts_with is not one of the labels")
        if not any(f.field in (Field.TOTAL, Field.RESULT) for f in self.fields):
            raise ValueError("blocks need a field total or result")


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    """A row of an item table that holds no answer.

    Attributes:
        label: Its words in the label column.
        cells: Column field ("points", "answer") to what the cell there means ("total", "severity", "ignore").
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    label: str
    cells: dict[Field, Field]
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A record per page with one row per question.

    Attributes:
        instrument: The instrument these questions belong to.
        columns: Label, points and, where printed, answer; from left to right.
        wording: The questions as this layout prints them, in order; their number is the number of items.
        link_ids: Item ids for the wording, if they are not 1, 2, 3 …
        answers: Answer words to points, where words are printed; checked against the points if both are.
        summary: Rows without an answer, such as the total.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    instrument: str
    columns: tuple[Column, ...]
    wording: tuple[str, ...]
    link_ids: tuple[str, ...] = ()
    answers: dict[str, int] = field(default_factory=dict)
    summary: tuple[SummaryRow, ...] = ()
    rows: RowRule = RowRule.AUTO

    def __post_init__(self) -> None:
        fields = [c.field for c in self.columns]
        if Field.LABEL not in fields:
            raise ValueError("an item table needs a column with field label")
        if Field.POINTS not in fields and not (Field.ANSWER in fields and self.answers):
            raise ValueError("an item table needs a column with field points, or answers for its words")
        if self.link_ids and len(self.link_ids) != len(self.wording):
            raise ValueError("link_ids and wording differ in number")

    @property
    def ids(self) -> tuple[str, ...]:
        """Item ids in printed order."""
        return self.link_ids or tuple(str(n + 1) for n in range(len(self.wording)))


_ITEM_FIELDS = frozenset({Field.LABEL, Field.ANSWER, Field.POINTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One revision of one layout.

    Attributes:
        id: Lower-case name, unique among templates.
        revision: From 1.
        anchors: Words that only this layout prints, all of them on its first page.
        clinics: Printed clinic name to site; a name of another site sends the file to review.
        dates: Date formats (`strptime`), tried in order.
        names: How name cells are written.
        no_score: What a score cell says when there is no score; an empty string means a blank cell does.
        instruments: Names this layout prints for instruments, to instrument ids.
        severities: Severity words of this layout, to the library's band labels.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    id: str
    revision: int
    anchors: tuple[str, ...]
    title: str = ""
    kind: Kind = Kind.PDF
    clinics: dict[str, str] = field(default_factory=dict)
    furniture: tuple[Furniture, ...] = ()
    fields: tuple[LabelledField, ...] = ()
    table: Table | None = None
    blocks: Blocks | None = None
    items: Items | None = None
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
        if sum(part is not None for part in (self.table, self.blocks, self.items)) != 1:
            raise ValueError("give exactly one of table, blocks, items")
        if self.kind is Kind.CSV and self.table is None:
            raise ValueError("a CSV layout is a table")
        dated = {Field.BIRTH_DATE, Field.AUTHORED_ON}
        if not self.dates and any(p.field in dated and not p.dates for p in self._places()):
            raise ValueError("dates are needed: the format of printed dates, for instance %m/%d/%Y")

    @property
    def name(self) -> str:
        """ "id@revision"."""
        return f"{self.id}@{self.revision}"

    def _places(self) -> tuple[Column | LabelledField, ...]:
        columns = self.table.columns if self.table else self.items.columns if self.items else ()
        return (*self.fields, *columns, *(self.blocks.fields if self.blocks else ()))

    def date_formats(self, wanted: Field) -> tuple[str, ...]:
        """The formats in which this layout prints a date field."""
        own = next((p.dates for p in self._places() if p.field is wanted and p.dates), ())
        return own or self.dates
