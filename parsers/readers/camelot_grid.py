"""camelot: the second reading, in areas and columns the template has settled, over playa's text layer."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import playa
from camelot.io import read_pdf
from playa.exceptions import PDFException

from parsers.areas import PageSize, TableArea
from records.document import Document, GridCell, Page, ReaderName, Word
from records.errors import UnreadableDocumentError
from records.geometry import Region

_WORD_GAP = 0.15  # as in `parsers.readers.plumber`


def read(content: bytes, *, areas: Sequence[TableArea], sizes: Sequence[PageSize], all_words: bool) -> Document:
    """Cells of the given tables, and the words of the text layer.

    Args:
        areas: Tables to read.
        sizes: Displayed size of every page.
        all_words: Whether to read words of every page; otherwise only of pages where no table was found.

    Raises:
        UnreadableDocumentError: Neither camelot nor playa can read the file.
    """
    try:
        grid: dict[int, list[GridCell]] = {}
        with _as_path(content) as path:
            for area in areas:
                height = sizes[area.region.page - 1].height
                # Asked for one place, camelot may answer with a table it likes better.
                found = [cell for cell in _cells(path, area, height) if area.region.holds(*cell.region.center)]
                grid.setdefault(area.region.page, []).extend(found)
        pages = [n + 1 for n in range(len(sizes)) if all_words or not grid.get(n + 1)]
        words = _words(content, pages=pages)
    except (PDFException, RuntimeError, ValueError, IndexError, KeyError, TypeError, AssertionError, RecursionError):
        # Whatever camelot says may quote the page; the reason is told by code only.
        raise UnreadableDocumentError(
            "The second reader cannot read this file.", code="damaged", next_step="Print the report again."
        ) from None
    return Document(
        reader=ReaderName.CAMELOT,
        pages=tuple(
            Page(
                number=n + 1,
                width=size.width,
                height=size.height,
                words=tuple(words.get(n + 1, [])),
                grid=tuple(grid.get(n + 1, [])),
            )
            for n, size in enumerate(sizes)
        ),
    )


def _cells(path: str, area: TableArea, height: float) -> list[GridCell]:
    box = area.region
    corners = f"{box.x0},{height - box.top},{box.x1},{height - box.bottom}"
    how: dict[str, object] = (
        {"flavor": "lattice", "engine": "vector"}
        if area.ruled
        else {"flavor": "network", "columns": [",".join(f"{x:.2f}" for x in area.separators)]}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "no tables found on page": an empty grid says so
        tables = read_pdf(
            path,
            pages=str(box.page),
            table_areas=[corners],
            split_text=True,
            suppress_stdout=True,
            # Grouping lines into text boxes costs ten times what reading them does, and tables need only lines.
            layout_kwargs={"boxes_flow": None},
            **how,
        )
    return [
        GridCell(cell.text, _flipped(box.page, height, cell.x1, cell.y1, cell.x2, cell.y2))
        for table in tables
        for row in table.cells
        for cell in row
    ]


def _flipped(page: int, height: float, x0: float, y0: float, x1: float, y1: float) -> Region:
    return Region(page, min(x0, x1), height - max(y0, y1), max(x0, x1), height - min(y0, y1))


def _words(content: bytes, *, pages: Sequence[int]) -> dict[int, list[Word]]:
    words: dict[int, list[Word]] = {}
    if not pages:
        return words
    with playa.parse(content, space="screen") as document:
        for number in pages:
            words[number] = _page_words(document.pages[number - 1], number)
    return words


def _page_words(page: playa.Page, number: int) -> list[Word]:
    words: list[Word] = []
    text = ""
    box: tuple[float, float, float, float] | None = None
    for glyph in page.glyphs:
        piece = "\ufffd" if glyph.text is None else glyph.text
        x0, y0, x1, y1 = glyph.bbox
        size = max(y1 - y0, 0.1)
        same_run = box is not None and abs(y0 - box[1]) < 0.5 * size and -size < x0 - box[2] < _WORD_GAP * size
        if piece.isspace() or not same_run:
            if box is not None and text:
                words.append(Word(text, Region(number, *box)))
            text, box = "", None
        if piece.isspace() or not piece:
            continue
        text += piece
        box = (x0, y0, x1, y1) if box is None else (min(box[0], x0), min(box[1], y0), max(box[2], x1), max(box[3], y1))
    if box is not None and text:
        words.append(Word(text, Region(number, *box)))
    return words


@contextmanager
def _as_path(content: bytes) -> Iterator[str]:
    """A path to the bytes that never touches a disk where the system allows it: camelot opens paths only."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("document")
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(handle, view) :]
            yield f"/proc/self/fd/{handle}"
        finally:
            os.close(handle)
        return
    with tempfile.TemporaryDirectory(prefix="scorebridge-") as folder:
        path = Path(folder, "document.pdf")
        path.write_bytes(content)
        yield str(path)
