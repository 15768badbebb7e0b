"""A record out of questions that are printed without a header: the wording of each leads to its answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parsers.claims import Claims
from parsers.item_extraction import ItemPage, in_form_order, ringed_choices, unnumbered
from parsers.labels import find_labels, read_values
from parsers.lines import Line, folded, joined
from parsers.marks import with_stray_marks
from parsers.template_items import Items
from parsers.template_parts import Field
from records.document import Page, Word
from records.finding import Finding
from records.geometry import Region, around
from records.report import Cell, ExtractedRow, ItemRow

# A line that may be the beginning of a wrapped question has at least as many letters in common with it.
_LONG_ENOUGH = 10


@dataclass(frozen=True, slots=True)
class _Question:
    """A question that was found: which one, its words, and what stands right of it."""

    number: int
    label: tuple[Word, ...]
    rest: tuple[Word, ...]


def extract_headless(page: Page, items: Items, claims: Claims) -> ItemPage | None:
    """The record of a page, or None if none of the questions is printed on it; claims its words.

    Questions may wrap over two lines; their answers stand on the first. What stands out of the form's order, or is
    printed twice, is a finding.
    """
    lines = claims.free_lines()
    found = list(_questions(lines, items))
    if not found:
        return None
    for question in found:
        claims.claim((*question.label, *question.rest))
    whole = Region(page.number, 0, 0, page.width, page.height)
    lines = claims.free_lines()
    values = read_values(lines, find_labels(lines, items.fields), items.fields, within=whole)
    claims.claim(values.words)
    answers = [_answer(question, position, items, page) for position, question in enumerate(found)]
    answers = with_stray_marks(answers, page.marks)
    box = around([word.region for question in found for word in (*question.label, *question.rest)])
    findings: list[Finding] = []
    if len(found) != len(items.wording):
        findings.append(Finding(code="item-count", region=box))
    if any(not answer.label_matches for answer in answers):
        findings.append(Finding(code="item-order", region=box))
    record = ExtractedRow(
        page=page.number,
        region=box,
        cells=tuple((str(wanted.field), cell) for wanted, cell in values.cells),
        instrument=items.instrument,
        items=in_form_order(answers, items),
        findings=(*findings, *values.findings),
    )
    return ItemPage(row=record, areas=())


def _questions(lines: Sequence[Line], items: Items) -> Iterator[_Question]:
    wordings = [folded(text) for text in items.wording]
    for number, line in enumerate(lines):
        for length in range(1, len(line.words) + 1):
            text = folded(unnumbered(joined(line.words[:length])))
            if text in wordings:
                yield _Question(wordings.index(text), line.words[:length], line.words[length:])
                break
        else:
            yield from _wrapped(line, lines[number + 1 : number + 2], wordings)


def _wrapped(line: Line, below: Sequence[Line], wordings: Sequence[str]) -> Iterator[_Question]:
    first = line.runs()[0]
    text = folded(unnumbered(joined(first)))
    for number, wording in enumerate(wordings):
        if len(text) >= _LONG_ENOUGH and wording.startswith(text) and below:
            second = below[0].runs()[0]
            if text + folded(joined(second)) == wording:
                yield _Question(number, (*first, *second), line.words[len(first) :])


def _answer(question: _Question, position: int, items: Items, page: Page) -> ItemRow:
    box = around([word.region for word in question.rest]) if question.rest else None
    cell = Cell(text=joined(question.rest), region=box)
    blank = Cell(text="")
    return ItemRow(
        link_id=items.ids[question.number],
        label=Cell(text=joined(question.label), region=around([word.region for word in question.label])),
        points=cell if items.beside is Field.POINTS else blank,
        answer=cell if items.beside is Field.ANSWER else None,
        label_matches=question.number == position,
        choices=tuple(ringed_choices(question.rest, page)) if items.beside is Field.RINGED else (),
    )
