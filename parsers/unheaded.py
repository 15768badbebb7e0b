"""A column without a header: boxes to tick or bullets beside the rows of a table, which are known and not read."""

from __future__ import annotations

from collections.abc import Sequence

from parsers.claims import Claims
from parsers.header import Header
from parsers.lines import Line, folded
from parsers.template_parts import Table
from records.document import Word


def without_unheaded(lines: Sequence[Line], table: Table, header: Header, claims: Claims) -> tuple[list[Line], float]:
    """The lines without what stands outside of the headers and is none of their cells; claims it.

    Args:
        lines: The body of the table.
        table: It says what its column without a header prints.
        header: Its header: only what stands left or right of all its words is taken away.
        claims: What of the page is taken already.

    Returns:
        The lines, and the right edge of what stood left of the header, in points; 0 where nothing did.
    """
    known = {folded(text) for text in table.unheaded}
    box = header.region
    if not known:
        return list(lines), 0.0

    def is_taken(word: Word) -> bool:
        outside = word.region.x1 <= box.x0 or word.region.x0 >= box.x1
        return outside and folded(word.text) in known

    taken = [word for line in lines for word in line.words if is_taken(word)]
    claims.claim(taken)
    rest = [[word for word in line.words if not is_taken(word)] for line in lines]
    edge = max((word.region.x1 for word in taken if word.region.x1 <= box.x0), default=0.0)
    return [Line(tuple(words)) for words in rest if words], edge
