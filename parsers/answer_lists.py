"""All answers of a questionnaire printed in one cell, in the order of its questions: "0-1-1-0-2"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from parsers.lines import folded
from parsers.template import Template
from parsers.template_parts import Field
from records.finding import Finding
from records.instrument import Instrument
from records.report import Cell, ExtractedRow, ItemRow

# One separator between two answers, so that two of them in a row leave a blank answer between.
_SEPARATOR: Final = re.compile(r"\s*[-‐-―−,;|/·]\s*|\s+")
# "Q3=2", "3: 2"
_NUMBERED: Final = re.compile(r"(?:Q|Item|#)?\s*(?P<number>\d{1,2})\s*[:=]\s*(?P<points>\d{1,2})", re.IGNORECASE)
_BLANK: Final = frozenset("_ .-–—\u00a0")


def with_answers(row: ExtractedRow, template: Template, meant: Sequence[Instrument]) -> ExtractedRow:
    """The record with its answers one by one; the same where no cell lists any.

    As many answers as the questionnaire has scored questions are theirs in their order. Of fewer or more nobody knows
    to which questions they belong: they keep the order, and the record has the finding `item-count`.

    Args:
        row: The record as printed.
        template: For its words that say there are no answers.
        meant: Every instrument that the record may be of; one with as many questions as there are answers is taken.
    """
    cell = row.cell(Field.ANSWERS)
    if row.items is not None or cell is None or not is_answered(cell.text, template.no_score):
        return row
    answers = _answers(cell.text, meant)
    questions = next((ids for ids in map(_questions, meant) if len(ids) == len(answers)), ())
    note = () if questions or not meant else (Finding(code="item-count", region=cell.region or row.region),)
    if not questions:
        longest = max(map(_questions, meant), key=len, default=())
        questions = (*longest, *(str(n) for n in range(len(longest) + 1, len(answers) + 1)))
    items = tuple(
        ItemRow(
            link_id=link_id, label=Cell(text=""), points=Cell(text=text, region=cell.region), answer=None,
            label_matches=True,
        )
        for link_id, text in zip(questions, answers, strict=False)
    )  # fmt: skip
    return replace(row, items=items, findings=(*row.findings, *note))


def is_answered(text: str, no_score: Sequence[str]) -> bool:
    """Whether a cell lists answers: it is neither blank nor says that there are none."""
    return not set(text.strip()) <= _BLANK and folded(text) not in {folded(words) for words in no_score}


def _answers(text: str, meant: Sequence[Instrument]) -> list[str]:
    text = text.strip()
    numbered = list(_NUMBERED.finditer(text))
    if numbered:
        rest = _NUMBERED.sub("", text)
        in_order = [int(found["number"]) for found in numbered] == list(range(1, len(numbered) + 1))
        # What is numbered otherwise than the questions is one thing that cannot be read.
        return [found["points"] for found in numbered] if in_order and not rest.strip(" ,;|/-") else [text]
    if text.isdecimal() and any(len(text) == len(_questions(instrument)) for instrument in meant):
        return list(text)
    return _SEPARATOR.split(text)


def _questions(instrument: Instrument) -> tuple[str, ...]:
    scored = tuple(item.link_id for item in instrument.items if item.scored)
    return scored or tuple(str(number) for number in range(1, instrument.item_count + 1))
