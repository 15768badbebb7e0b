"""The parts of a report template that hold records, and what they are made of. Plain values.

table       a record per row, or per score column of a row
blocks      a record per group of labelled values
sentences   a record per sentence or line
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict

STRICT = ConfigDict(extra="forbid")


class Field(StrEnum):
    """What a printed value means.

    Attributes:
        NAME: The whole name.
        FAMILY: The family name alone.
        GIVEN: The given name alone.
        MIDDLE: Middle name or initial alone.
        SUFFIX: Jr, Sr, III alone.
        BIRTH_DATE: Date of birth.
        MRN: The clinic's own number of the person.
        SEX: F, M, X or their words.
        PHONE: As printed.
        CLINICIAN: Who treats the person; supports a match where the roster names the clinician too.
        VISIT_DATE: Day of the visit; supports a match where the roster has the latest visit.
        INSTRUMENT: The questionnaire's name.
        TOTAL: The score: "14", "14 / 27", "14 (Moderate)".
        RESULT: The word that stands in place of a score (C-SSRS).
        SEVERITY: The word for the score; compared with it.
        AUTHORED_ON: Day of the questionnaire.
        AUTHORED_TIME: Time or visit that tells two of one day apart.
        ITEM: Points of one answer, in tables with a column per question.
        ANSWERS: Points of all answers in one cell, in the questionnaire's order: "0-1-1-0-2".
        COMPONENT: What the row's value is ("PHQ-9 TOTAL SCORE"), in tables with components only.
        VALUE: The value of the row's component, in tables with components only.
        LABEL: Wording of a question, in items only.
        ANSWER: Answer in words, in items only.
        POINTS: Points of an answer, in items only.
        CHOICE: Holds a mark if this answer was chosen, in items only.
        RINGED: Prints every possible answer with a ring around the chosen one, in items only.
        PARTS: Holds several fields, which the column's pattern takes apart, or its lines.
        IGNORE: Printed, known, and not used.
    """

    NAME = "name"
    FAMILY = "family"
    GIVEN = "given"
    MIDDLE = "middle"
    SUFFIX = "suffix"
    BIRTH_DATE = "birth_date"
    MRN = "mrn"
    SEX = "sex"
    PHONE = "phone"
    CLINICIAN = "clinician"
    VISIT_DATE = "visit_date"
    INSTRUMENT = "instrument"
    TOTAL = "total"
    RESULT = "result"
    SEVERITY = "severity"
    AUTHORED_ON = "authored_on"
    AUTHORED_TIME = "authored_time"
    ITEM = "item"
    ANSWERS = "answers"
    COMPONENT = "component"
    VALUE = "value"
    LABEL = "label"
    ANSWER = "answer"
    POINTS = "points"
    CHOICE = "choice"
    RINGED = "ringed"
    PARTS = "parts"
    IGNORE = "ignore"


SCORES = frozenset({Field.TOTAL, Field.RESULT})
IDENTITY = frozenset({
    Field.NAME, Field.FAMILY, Field.GIVEN, Field.MIDDLE, Field.SUFFIX, Field.BIRTH_DATE, Field.MRN, Field.SEX,
    Field.PHONE, Field.CLINICIAN, Field.VISIT_DATE,
})  # fmt: skip
_ITEM_FIELDS = frozenset({Field.LABEL, Field.ANSWER, Field.POINTS, Field.CHOICE, Field.RINGED})
_REPEATABLE = SCORES | {Field.SEVERITY, Field.ITEM, Field.ANSWERS, Field.IGNORE, Field.CHOICE, Field.PARTS}


class Place(StrEnum):
    """Where a value stands, seen from its label.

    Attributes:
        RIGHT: On the label's line; further lines that begin where it begins belong to it.
        BELOW: In the line below.
        ABOVE: In the line above.
    """

    RIGHT = "right"
    BELOW = "below"
    ABOVE = "above"


class RowRule(StrEnum):
    """What separates the rows of a table.

    Attributes:
        AUTO: Printed lines where there are some, else lines of text.
        RULED: Printed lines.
        LINES: Lines of text.
    """

    AUTO = "auto"
    RULED = "ruled"
    LINES = "lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Furniture:
    """Printed text that belongs to no record: titles, page numbers, legends.

    It must fill a whole run of words (a run ends at a gap wider than a space), so that it can never
    swallow a word out of a cell.

    Attributes:
        text: Its exact words, compared without regard to case and spacing.
        pattern: In place of text: a regular expression for the whole run.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
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
        under: Words of a heading that spans this column and its neighbours ("PHQ-9" over "Score" and "Severity").
        field: What its cells mean.
        instrument: For a score column: the instrument whose total it holds. Other columns with it belong to that score.
        item: For field item: the id of the question.
        points: For field choice: the points of the answer that this column stands for.
        pattern: For field parts: regular expression of the whole cell, its lines joined by spaces; its named groups are
            field names ("PHQ-9: 14").
        lines: For field parts, in place of pattern: the fields that stand below each other in the cell, a line each;
            the header is the words of all their headers, from top to bottom.
        dates: Date format, if it differs from the template's.
        optional: The column may be missing.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    header: str
    field: Field
    also: tuple[str, ...] = ()
    under: str | None = None
    instrument: str | None = None
    item: str | None = None
    points: int | None = None
    pattern: re.Pattern[str] | None = None
    lines: tuple[Field, ...] = ()
    dates: tuple[str, ...] = ()
    optional: bool = False

    def __post_init__(self) -> None:
        if not self.header.strip():
            raise ValueError("a column is found by the words of its header")
        if (self.item is not None) != (self.field is Field.ITEM):
            raise ValueError("item names the question of a column with field item")
        if (self.points is not None) != (self.field is Field.CHOICE):
            raise ValueError("points names the answer of a column with field choice")
        if (self.pattern is not None) + bool(self.lines) != (self.field is Field.PARTS):
            raise ValueError("pattern, or lines, takes the cells of a column with field parts apart")
        if len(self.lines) == 1 or {Field.PARTS, Field.ITEM, *_ITEM_FIELDS} & set(self.lines):
            raise ValueError("lines are two fields at least, each read by itself")
        if any(self.lines.count(name) > 1 for name in self.lines if name is not Field.IGNORE):
            raise ValueError("a field has two lines")
        if self.pattern is not None:
            check_groups(self.pattern)

    @property
    def fields(self) -> frozenset[Field]:
        """What its cells hold."""
        if self.lines:
            return frozenset(self.lines)
        return frozenset(map(Field, self.pattern.groupindex)) if self.pattern is not None else frozenset({self.field})


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupHeading:
    """A line inside a table that says something about the rows below it, until the next one like it.

    Attributes:
        pattern: Regular expression of the whole line; its named groups are field names ("authored_on").
        columns: In place of pattern: columns of the line's own, whose headers are printed above those of the table.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    pattern: re.Pattern[str] | None = None
    columns: tuple[Column, ...] = ()

    def __post_init__(self) -> None:
        if (self.pattern is None) == (not self.columns):
            raise ValueError("give either pattern or columns")
        if self.pattern is not None:
            check_groups(self.pattern)
        if any(column.field in _ITEM_FIELDS | SCORES | {Field.ITEM} for column in self.columns):
            raise ValueError("a heading holds no scores")
        _check_single(self.columns)

    @property
    def fields(self) -> frozenset[str]:
        """Names of the fields it may give."""
        named = self.pattern.groupindex if self.pattern is not None else ()
        return frozenset({*named, *(str(c.field) for c in self.columns if c.field is not Field.IGNORE)})


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailLine:
    """A line below a row that says more about this row.

    Attributes:
        pattern: Regular expression of the whole line; its named groups are field names ("birth_date").
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    pattern: re.Pattern[str]

    def __post_init__(self) -> None:
        check_groups(self.pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Across:
    """Columns whose headers are values themselves: the dates of a flowsheet.

    Attributes:
        field: What these headers are: authored_on or instrument.
        dates: Date format of these headers, if it differs from the template's.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    field: Field
    dates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.field not in (Field.AUTHORED_ON, Field.INSTRUMENT):
            raise ValueError("headers across the page are authored_on or instrument")


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One kind of row in a table whose rows each give one value of a record.

    Attributes:
        pattern: Regular expression of the whole cell in the column with field component; the first that fits counts.
            Its named groups are instrument and, for an answer, item: the id of the question.
        field: What such a row's value is: total, result, severity, item; or ignore.
        item: For field item, in place of the group: the id of the question.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    pattern: re.Pattern[str]
    field: Field
    item: str | None = None

    def __post_init__(self) -> None:
        if self.field not in SCORES | {Field.SEVERITY, Field.ITEM, Field.IGNORE}:
            raise ValueError("a component is total, result, severity, item or ignore")
        groups = set(self.pattern.groupindex)
        if groups - {"instrument", "item"}:
            raise ValueError("groups of a component are instrument and item")
        if (self.field is Field.ITEM) != (self.item is not None or "item" in groups):
            raise ValueError("a component with field item says which question it answers, others do not")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A record per row, or per score column of a row, or per group of rows that each give one of its values.

    Attributes:
        columns: From left to right, every printed column.
        across: Further columns right of these whose headers are values; every filled cell below is a score.
        rows: What separates rows.
        groups: Headings between rows that apply to the rows below.
        details: Lines below a row that say more about it.
        components: What rows give, where each one gives a single value of a record; neighbouring rows that name the
            same instrument make one record.
        skip: Lines between rows without a record: subtotals, rulers made of dashes.
        unheaded: What a column without a header prints beside the rows: boxes to tick, bullets. No letters or digits.
        header_on_every_page: False: a page without the header goes on with the columns of the page before.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    columns: tuple[Column, ...]
    across: Across | None = None
    rows: RowRule = RowRule.AUTO
    groups: tuple[GroupHeading, ...] = ()
    details: tuple[DetailLine, ...] = ()
    components: tuple[Component, ...] = ()
    skip: tuple[Furniture, ...] = ()
    unheaded: tuple[str, ...] = ()
    header_on_every_page: bool = True

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("a table needs columns")
        if any(not text.strip() or any(char.isalnum() for char in text) for text in self.unheaded):
            raise ValueError("what a column without a header prints may hold no letters or digits")
        totals = [c for c in self.columns if c.fields & SCORES]
        self._check_components(scored=bool(totals) or self.across is not None)
        if not totals and self.across is None and not self.components:
            raise ValueError("a table needs a column with field total or result")
        if totals and self.across is not None:
            raise ValueError("a table with across has its scores there")
        named = [c for c in totals if Field.INSTRUMENT in c.fields]
        if len(totals) > 1 and any(c.instrument is None for c in totals if c not in named):
            raise ValueError("with several score columns each needs its instrument")
        _check_single(self.columns)
        if any(c.field in _ITEM_FIELDS for c in self.columns):
            raise ValueError("label, answer, points, choice and ringed belong into items")
        asked = [(c.instrument, c.item) for c in self.columns if c.field is Field.ITEM]
        if len(asked) != len(set(asked)):
            raise ValueError("a question has two columns")

    def _check_components(self, *, scored: bool) -> None:
        fields = [column.field for column in self.columns]
        pair = (fields.count(Field.COMPONENT), fields.count(Field.VALUE))
        if pair != ((1, 1) if self.components else (0, 0)):
            raise ValueError("components go with one column with field component and one with field value")
        if self.components and scored:
            raise ValueError("a table with components has its scores in the column with field value")

    @property
    def takes_apart(self) -> bool:
        """Whether cells hold several fields."""
        return any(column.field is Field.PARTS for column in self.columns)

    @property
    def group_fields(self) -> frozenset[str]:
        """Names of the fields its group headings may give."""
        return frozenset(name for group in self.groups for name in group.fields)


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

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
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

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    starts_with: str
    fields: tuple[LabelledField, ...]

    def __post_init__(self) -> None:
        if self.starts_with not in {f.label for f in self.fields}:
            raise ValueError("starts_with is not one of the labels")
        if not any(f.field in SCORES for f in self.fields):
            raise ValueError("blocks need a field total or result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentences:
    """A record per sentence of running text, or per line.

    Attributes:
        pattern: Regular expression of a whole sentence, its words joined by single spaces; its named groups are field
            names ("name", "total").
        groups: Lines that speak of the sentences below them, by pattern; what they say holds on to the next pages.
        instrument: The instrument, where the sentence does not name it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    pattern: re.Pattern[str]
    groups: tuple[GroupHeading, ...] = ()
    instrument: str | None = None

    def __post_init__(self) -> None:
        check_groups(self.pattern)
        if any(group.pattern is None for group in self.groups):
            raise ValueError("headings between sentences have a pattern")
        if not {str(f) for f in SCORES} & set(self.pattern.groupindex):
            raise ValueError("a sentence needs a group named total or result")
        if self.pattern.fullmatch(""):
            raise ValueError("the pattern describes nothing at all")


def check_groups(pattern: re.Pattern[str]) -> None:
    """Refuse a pattern whose named groups are no fields.

    Raises:
        ValueError: It names something that is no field.
    """
    unknown = sorted(set(pattern.groupindex) - {str(f) for f in Field})
    if unknown:
        raise ValueError(f"no field is called {', '.join(unknown)}")


def _check_single(columns: Sequence[Column]) -> None:
    """Refuse a field with two columns, where they do not belong to two instruments."""
    single = [
        (c.field, c.instrument if c.field not in IDENTITY else None) for c in columns if c.field not in _REPEATABLE
    ]
    if len(single) != len(set(single)):
        raise ValueError("a field has two columns")
