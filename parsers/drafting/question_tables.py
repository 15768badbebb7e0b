"""Tables of questions as the samples print them, before anybody says what their columns mean."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from parsers.columns import find_borders
from parsers.drafting.headings import Heading
from parsers.drafting.vocabulary import FREQUENCIES
from parsers.drafting.words import item_heading_means
from parsers.header import find_headers
from parsers.lines import Line, folded, joined, lines_of
from parsers.rows import find_rows
from parsers.table_extraction import separated_by_rules
from parsers.template_parts import Field, RowRule
from parsers.zones import zones_of
from records.document import MarkKind, Page

NUMBERING = re.compile(r"^\(?\d{1,2}[a-z]?[.):]?\s+")
SUMMARY = re.compile(r"\b(total|totals|sum|sums|score)\b", re.IGNORECASE)
# Groups of pages with the same questions smaller than this share of the largest are mishaps of single pages.
_RARE = 0.34
_FREQUENT = frozenset(folded(words) for words in FREQUENCIES)
_FEWEST = 2  # questions of the shortest form


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionTable:
    """One table of questions on one page.

    Attributes:
        page: The page.
        top: Upper edge of its header, in points.
        bottom: Lower edge of its last question or total.
        end: Where the next table begins.
        above: Texts close above its header, the nearest first.
        roles: What each column seems to hold.
        rows: Cells by column, from top to bottom, down to the last total.
    """

    page: Page
    top: float
    bottom: float
    end: float
    above: tuple[str, ...]
    roles: tuple[Field, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def questions(self) -> tuple[str, ...]:
        """The questions without their numbers."""
        return tuple(NUMBERING.sub("", self.label(row)) for row in self.rows if not SUMMARY.search(self.label(row)))

    @property
    def totals(self) -> tuple[tuple[str, ...], ...]:
        """Rows that hold no answer."""
        return tuple(row for row in self.rows if SUMMARY.search(self.label(row)))

    def label(self, row: Sequence[str]) -> str:
        """The words of a row; those of a total may stand left of the questions' column."""
        at = self.roles.index(Field.LABEL)
        return row[at] or next((text for text in row[:at] if text), "")


def read_questions(page: Page, headings: Sequence[Heading]) -> list[QuestionTable]:
    """Every table on the page with these headings."""
    lines = lines_of(page.words)
    headers = find_headers(lines, [heading.column() for heading in headings])
    found: list[QuestionTable] = []
    for zone in zones_of(page, headers, headers, page.words):
        body = [line for line in lines if zone.body.holds(*line.region.center)]
        borders = find_borders(zone.header, body, page.rules)
        marked = _marked(body, page)
        rows = find_rows(
            body,
            borders,
            zone.header,
            page.rules,
            # Of a question with a mark drawn in one of its columns only the words are text.
            begins=partial(_begins, marked=marked),
            keys=frozenset(range(1, len(headings))),
            by_rules=separated_by_rules(RowRule.AUTO, page, zone.header),
        )
        cells = [tuple(row.text(number) for number in range(len(headings))) for row in rows]
        roles = _roles(headings, cells)
        at = roles.index(Field.RINGED) if Field.RINGED in roles else None
        if at is not None and not _shows_all_answers(page, [row[at] for row in cells]):
            continue
        labels = [row[roles.index(Field.LABEL)] or next((text for text in row if text), "") for row in cells]
        last = _last(labels)
        if last is None:
            continue
        top = zone.header.top
        found.append(
            QuestionTable(
                page=page,
                top=top,
                bottom=rows[last].region.bottom,
                end=zone.body.bottom,
                above=tuple(
                    joined(run) for line in reversed(lines) if line.region.bottom <= top for run in line.runs()
                ),
                roles=roles,
                rows=tuple(cells[: last + 1]),
            )
        )
    return found


def _begins(cells: Mapping[int, str], *, marked: frozenset[str]) -> bool:
    return len(cells) >= 2 or " ".join(cells.values()) in marked


def _shows_all_answers(page: Page, cells: Sequence[str]) -> bool:
    """Whether each cell prints the same possible points, and rings are drawn on the page."""
    digits = {cell for cell in cells if cell}
    shown = len(digits) == 1 and re.fullmatch(r"\d( \d)+", next(iter(digits))) is not None
    return shown and any(mark.kind is MarkKind.RING for mark in page.marks)


def _marked(body: Sequence[Line], page: Page) -> frozenset[str]:
    """The lines right of which something is drawn on their height: a cross, a tick, a filled box."""
    marks = [mark.region for mark in page.marks if mark.kind is not MarkKind.RING]
    return frozenset(
        line.text
        for line in body
        if any(m.x0 > line.region.x1 and line.region.top - 1 <= m.center[1] <= line.region.bottom + 1 for m in marks)
    )


def read_headless(page: Page) -> QuestionTable | None:
    """Numbered questions with the same small numbers right of each, or one number; None if the page has none."""
    lines = lines_of(page.words)
    found: list[tuple[Line, str, str]] = []
    for line in lines:
        label, answer = _question_line(line)
        if label:
            found.append((line, label, answer))
    scales = {scale for _, _, scale in found}
    rings = any(mark.kind is MarkKind.RING for mark in page.marks)
    ringed = rings and len(scales) == 1 and " " in next(iter(scales), "")
    worded = bool(scales) and all(folded(scale) in _FREQUENT for scale in scales)
    if len(found) < _FEWEST or not (ringed or worded or all(re.fullmatch(r"\d", scale) for scale in scales)):
        return None
    top, bottom = found[0][0].region.top, found[-1][0].region.bottom
    return QuestionTable(
        page=page,
        top=top,
        bottom=bottom,
        end=page.height,
        above=_above(lines, top),
        roles=(Field.LABEL, Field.RINGED if ringed else Field.ANSWER if worded else Field.POINTS),
        rows=tuple((label, scale) for _, label, scale in found),
    )


def _question_line(line: Line) -> tuple[str, str]:
    """A numbered question and what stands right of it: digits, or the words of an answer; two blanks if it is none."""
    if NUMBERING.match(line.text) is None:
        return "", ""
    digits = list(itertools.takewhile(lambda word: re.fullmatch(r"\d", word.text), reversed(line.words)))
    runs = line.runs()
    if 0 < len(digits) < len(line.words) - 1:
        return joined(line.words[: len(line.words) - len(digits)]), " ".join(word.text for word in reversed(digits))
    if len(runs) > 1 and folded(joined(runs[-1])) in _FREQUENT:
        return " ".join(joined(run) for run in runs[:-1]), joined(runs[-1])
    return "", ""


def alike(tables: Sequence[QuestionTable]) -> list[list[QuestionTable]]:
    """The tables in groups with the same questions, each led by one in the usual order; rare ones left out."""
    groups: dict[frozenset[str], list[QuestionTable]] = {}
    for table in tables:
        groups.setdefault(frozenset(table.questions), []).append(table)
    most = max((len(group) for group in groups.values()), default=0)
    usual: list[list[QuestionTable]] = []
    for group in groups.values():
        if len(group) >= _RARE * most and len(group[0].questions) > 1:
            order, _ = Counter(table.questions for table in group).most_common(1)[0]
            usual.append(sorted(group, key=lambda table: table.questions != order))
    return sorted(usual, key=lambda group: group[0].top)


def _above(lines: Sequence[Line], top: float) -> tuple[str, ...]:
    return tuple(joined(run) for line in reversed(lines) if line.region.bottom <= top for run in line.runs())


def _roles(headings: Sequence[Heading], rows: Sequence[Sequence[str]]) -> tuple[Field, ...]:
    roles = [item_heading_means(heading.text) or Field.IGNORE for heading in headings]
    # "Item" may head the questions or their numbers: of several candidates the wordiest column holds the questions.
    candidates = [n for n, role in enumerate(roles) if role is Field.LABEL]
    wordiest = max(candidates, key=lambda n: sum(len(row[n]) for row in rows))
    points = [n for n, role in enumerate(roles) if role is Field.POINTS]
    return tuple(
        Field.IGNORE if (role is Field.LABEL and n != wordiest) or (role is Field.POINTS and n != points[-1]) else role
        for n, role in enumerate(roles)
    )


def _last(labels: Sequence[str]) -> int | None:
    """The last row of the table: its last total, or the last numbered question; below stands the foot of the page."""
    totals = [n for n, text in enumerate(labels) if SUMMARY.search(text)]
    if totals:
        return totals[-1]
    numbered = [n for n, text in enumerate(labels) if NUMBERING.match(text)]
    return numbered[-1] if numbered else len(labels) - 1 if labels else None
