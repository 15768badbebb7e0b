"""Pictures of report pages, drawn elsewhere: untrusted files are never opened in the process that serves pages."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from records.errors import ScorebridgeError
from store import reports
from store.database import Database

Render = Callable[[bytes, int, int], bytes]

DOTS_PER_INCH: Final = 144  # two pixels to the point: the size of the page follows exactly, and a row can be enlarged
_KEPT: Final = 12  # pages, so that a page is drawn once for its text, its picture and the next record on it
_MOST_BYTES: Final = 16 * 1024 * 1024
_PNG: Final = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageImage:
    """One drawn page.

    Attributes:
        png: The picture.
        width: Displayed width of the page in points.
        height: Displayed height of the page in points.
    """

    png: bytes
    width: float
    height: float


class PageImages:
    """Draws pages of archived reports; the last few are kept in memory only."""

    def __init__(self, database: Database, render: Render) -> None:
        self._database = database
        self._render = render
        self._kept: OrderedDict[tuple[str, int], PageImage] = OrderedDict()
        self._lock = Lock()

    def page(self, report_id: int, page: int) -> PageImage | None:
        """The picture of a page, or None if there is none or it cannot be drawn."""
        try:
            # Asked every time, so that nothing is shown of a document that has been forgotten since.
            with self._database.reading() as session:
                document = reports.document_of(session, report_id)
            return self._image(document, page) if document else None
        # OSError: the worker died or took too long. The values of the case are shown all the same.
        except (ScorebridgeError, OSError, MemoryError):
            return None

    def _image(self, document: tuple[str, bytes], page: int) -> PageImage | None:
        place = document[0], page
        with self._lock:
            held = self._kept.get(place)
            if held is not None:
                self._kept.move_to_end(place)
                return held
        drawn = _measured(self._render(self._database.archive.get(*document), page, DOTS_PER_INCH))
        if drawn is not None:
            with self._lock:
                self._kept[place] = drawn
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return drawn


def _measured(png: bytes) -> PageImage | None:
    """The picture with its size from the header (PNG specification, 11.2.2 IHDR), or None if it is no picture."""
    if not png.startswith(_PNG) or len(png) < 24 or len(png) > _MOST_BYTES:
        return None
    width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    if not width or not height:
        return None
    return PageImage(png=png, width=width * 72 / DOTS_PER_INCH, height=height * 72 / DOTS_PER_INCH)
