"""Records out of groups of labelled values, several to a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parsers.claims import Claims
from parsers.labels import LabelPlace, find_labels, read_values
from parsers.lines import folded
from parsers.template_parts import Blocks, Field
from records.document import Page
from records.geometry import Region, around
from records.report import ExtractedRow

# First labels of blocks below each other start at the same x, give or take this many points.
_SAME_COLUMN = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPage:
    """The records of a page's blocks.

    Attributes:
        no_score: Blocks that say they have no score.
    """

    rows: tuple[ExtractedRow, ...]
    no_score: int


def extract_blocks(page: Page, blocks: Blocks, claims: Claims, *, no_score: Sequence[str]) -> BlockPage:
    """The records of a page, column by column from top to bottom; claims their words.

    Args:
        no_score: What the score says where there is none; such a block is counted and is no record.
    """
    nothing = {folded(text) for text in no_score}
    without = 0
    lines = claims.free_lines()
    places = find_labels(lines, blocks.fields)
    records: list[ExtractedRow] = []
    for box in _boxes(page, [place for place in places if place.label == blocks.starts_with]):
        values = read_values(lines, places, blocks.fields, within=box)
        claims.claim(values.words)
        cells = tuple((str(field.field), cell) for field, cell in values.cells if field.field is not Field.IGNORE)
        score = next((cell for field, cell in values.cells if field.field in (Field.TOTAL, Field.RESULT)), None)
        if score is not None and folded(score.text) in nothing:
            without += 1
            continue
        instrument = next(
            (f.instrument for f, _ in values.cells if f.field in (Field.TOTAL, Field.RESULT) and f.instrument), None
        )
        records.append(
            ExtractedRow(
                page=page.number,
                region=around([word.region for word in values.words]),
                cells=cells,
                instrument=instrument,
                findings=values.findings,
            )
        )
    return BlockPage(rows=tuple(records), no_score=without)


def _boxes(page: Page, starts: Sequence[LabelPlace]) -> list[Region]:
    """A box per block: down to the next block of its column, right to the next column."""
    columns: list[list[Region]] = []
    for region in sorted((place.region for place in starts), key=lambda r: r.x0):
        if columns and region.x0 - columns[-1][0].x0 < _SAME_COLUMN:
            columns[-1].append(region)
        else:
            columns.append([region])
    boxes: list[Region] = []
    for number, column in enumerate(columns):
        left = column[0].x0 - 2
        right = columns[number + 1][0].x0 - 2 if number + 1 < len(columns) else page.width
        tops = sorted(region.top for region in column)
        for top, below in zip(tops, [*tops[1:], page.height], strict=True):
            boxes.append(Region(page.number, max(0.0, left), max(0.0, top - 1), right, max(top, below - 1)))
    return boxes
