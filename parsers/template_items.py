"""The part of a report template that holds questions with their answers. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import ConfigDict

from parsers.instrument_library import load_instruments, resolve
from parsers.template_parts import STRICT, Column, Field, LabelledField, RowRule


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    """A row of an item table that holds no answer.

    Attributes:
        label: Its words in the label column.
        cells: Column field ("points", "answer") to what the cell there means ("total", "severity", "ignore").
        optional: The row may be missing.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    label: str
    cells: dict[Field, Field]
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A record per table of questions, one row per question.

    Attributes:
        instrument: The instrument these questions belong to.
        columns: Label and answers, from left to right, where a header is printed.
        beside: In place of columns, where none is: what stands right of each question (points, answer or ringed).
        wording: The questions as this layout prints them, in order; their number is the number of items.
        link_ids: Item ids for the wording, if they are not 1, 2, 3 …
        answers: Answer words to points, where words are printed; checked against the points if both are.
        marks: What a choice cell prints where the answer was chosen; without it the usual crosses and ticks.
        summary: Rows without an answer, such as the total.
        fields: Labelled values printed between this table and the next that belong to it alone, such as its total.
        rows: What separates rows.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    instrument: str
    wording: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    beside: Field | None = None
    link_ids: tuple[str, ...] = ()
    answers: dict[str, int] = field(default_factory=dict)
    marks: tuple[str, ...] = ()
    summary: tuple[SummaryRow, ...] = ()
    fields: tuple[LabelledField, ...] = ()
    rows: RowRule = RowRule.AUTO

    def __post_init__(self) -> None:
        if bool(self.columns) == (self.beside is not None):
            raise ValueError("give the columns of the printed header, or beside where no header is printed")
        fields = [c.field for c in self.columns] or [Field.LABEL, self.beside or Field.IGNORE]
        if Field.LABEL not in fields:
            raise ValueError("an item table needs a column with field label")
        direct = {Field.POINTS, Field.CHOICE, Field.RINGED} & set(fields)
        if not direct and not (Field.ANSWER in fields and self.answers):
            raise ValueError(
                "an item table needs a column with field points, choice or ringed, or answers for its words"
            )
        if len(direct) > 1:
            raise ValueError("points, choice and ringed are three ways to print one answer: give one of them")
        other = next((column for column in self.columns if self._is_another(column)), None)
        if other is not None:
            # Its answers would be known and not read, and the questionnaire beside this one lost without a word.
            raise ValueError(f"“{other.header}” names another questionnaire: its answers must not be ignored")
        if self.beside not in (None, Field.POINTS, Field.ANSWER, Field.RINGED):
            raise ValueError("beside is points, answer or ringed")
        if self.beside is not None and self.summary:
            raise ValueError("summary rows belong to a table with columns; use fields")
        if self.link_ids and len(self.link_ids) != len(self.wording):
            raise ValueError("link_ids and wording differ in number")

    def _is_another(self, column: Column) -> bool:
        """Whether a column to be ignored is headed by another questionnaire's name."""
        if column.field is not Field.IGNORE:
            return False
        named = resolve(column.header, load_instruments()).instrument_id
        return named is not None and named != self.instrument

    @property
    def ids(self) -> tuple[str, ...]:
        """Item ids in printed order."""
        return self.link_ids or tuple(str(n + 1) for n in range(len(self.wording)))

    @property
    def prints_points(self) -> bool:
        """Whether an answer is printed as points or marked among them; else in words only."""
        direct = (Field.POINTS, Field.CHOICE, Field.RINGED)
        return self.beside in direct or any(c.field in direct for c in self.columns)

    @property
    def has_rings(self) -> bool:
        """Whether answers are ringed."""
        return self.beside is Field.RINGED or any(c.field is Field.RINGED for c in self.columns)
