"""CSV files as EHRs export them: several encodings, several separators, lines before the header."""

from __future__ import annotations

import codecs
import csv
import io

from records.document import TableFile, TableRow
from records.errors import UnreadableDocumentError

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SEPARATORS = (",", ";", "\t", "|")


def read(content: bytes) -> TableFile:
    """The rows of a CSV file.

    Raises:
        UnreadableDocumentError: Empty, binary, or in no encoding we know.
    """
    text, encoding = _decoded(content)
    separator = _separator(text)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        rows: list[TableRow] = []
        line = 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(TableRow(line, tuple(" ".join(cell.split()) for cell in cells)))
            line = reader.line_num + 1
    except csv.Error:
        raise UnreadableDocumentError(
            f"The file is not well-formed CSV near line {line}: a quote is open or misplaced.",
            code="csv-malformed",
            next_step="Export it again.",
        ) from None
    if not rows:
        raise UnreadableDocumentError("The file holds no rows.", code="empty-file", next_step="Export it again.")
    return TableFile(rows=tuple(rows), encoding=encoding, separator=separator, open_end=not text.endswith(("\n", "\r")))


def _decoded(content: bytes) -> tuple[str, str]:
    if not content:
        raise UnreadableDocumentError("The file is empty.", code="empty-file", next_step="Export it again.")
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return _strictly(content, encoding), encoding
    if b"\x00" in content:
        raise UnreadableDocumentError(
            "The file is not text.", code="csv-malformed", next_step="Export it as CSV, not as a workbook."
        )
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        # Windows programs of the clinic's country write cp1252; bytes it does not define are refused.
        return _strictly(content, "cp1252"), "cp1252"


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise UnreadableDocumentError(
            "The file's characters cannot be decoded.", code="csv-malformed", next_step="Export it as UTF-8."
        ) from None


def _separator(text: str) -> str:
    """The separator that cuts most lines into the same number of cells, more than one; a comma if none does."""
    best, best_rank = ",", (0, 0)
    for separator in _SEPARATORS:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row]
        except csv.Error:
            continue
        wide = [width for width in widths if width > 1]
        if wide:
            usual = max(set(wide), key=lambda width: (wide.count(width), width))
            rank = (wide.count(usual), usual)
            if rank > best_rank:
                best, best_rank = separator, rank
    return best
