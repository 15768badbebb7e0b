"""Pictures of report pages, drawn elsewhere: untrusted files are never opened in the process that serves pages."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

from records.errors import ScorebridgeError
from records.geometry import Region
from records.picture import DrawnPage
from store import reports
from store.database import Database

Render = Callable[[bytes, int, tuple[Region, ...]], DrawnPage]
"""Draws a page of a file, or enlarged parts of it one below the other."""

_KEPT: Final = 64  # pictures of a page or a row, so that each is drawn once for its text, itself and the next record
_MOST_BYTES: Final = 4 * 1024 * 1024
_SIGNATURES: Final = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


class PageImages:
    """Draws pages of archived reports; the last few are kept in memory only."""

    def __init__(self, database: Database, render: Render) -> None:
        self._database = database
        self._render = render
        self._kept: OrderedDict[tuple[str, int, tuple[Region, ...]], DrawnPage] = OrderedDict()
        self._lock = Lock()

    def page(self, report_id: int, page: int) -> DrawnPage | None:
        """The picture of a page, or None if there is none or it cannot be drawn."""
        return self._drawn(report_id, page, ())

    def parts(self, report_id: int, parts: tuple[Region, ...]) -> DrawnPage | None:
        """Parts of one page, enlarged, one below the other; None as for a page."""
        return self._drawn(report_id, parts[0].page, parts) if parts else None

    def _drawn(self, report_id: int, page: int, parts: tuple[Region, ...]) -> DrawnPage | None:
        try:
            # Asked every time, so that nothing is shown of a document that has been forgotten since.
            with self._database.reading() as session:
                document = reports.document_of(session, report_id)
            return self._image(document, page, parts) if document else None
        # OSError: the worker died or took too long. The values of the case are shown all the same.
        except (ScorebridgeError, OSError, MemoryError):
            return None

    def _image(self, document: tuple[str, bytes], page: int, parts: tuple[Region, ...]) -> DrawnPage | None:
        place = document[0], page, parts
        with self._lock:
            held = self._kept.get(place)
            if held is not None:
                self._kept.move_to_end(place)
                return held
        drawn = self._render(self._database.archive.get(*document), page, parts)
        if not _is_picture(drawn):
            return None
        with self._lock:
            self._kept[place] = drawn
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return drawn


def _is_picture(drawn: DrawnPage) -> bool:
    signature = _SIGNATURES.get(drawn.media_type)
    fits = 0 < len(drawn.picture) <= _MOST_BYTES and drawn.width > 0 and drawn.height > 0
    return signature is not None and fits and drawn.picture.startswith(signature)
