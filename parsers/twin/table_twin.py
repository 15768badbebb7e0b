"""A synthetic twin of a CSV export: the same columns, separators, quotes, line ends and encoding."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from dataclasses import replace

from parsers.claims import describes
from parsers.csv_extraction import extract_csv, find_csv_header
from parsers.drafting.vocabulary import USUAL_DATE_FORMATS
from parsers.lines import folded
from parsers.readers import table_file
from parsers.template import Kind, Template
from parsers.template_fit import missing_anchors
from parsers.twin.invented_records import InventedRecords, invent_records
from parsers.twin.invention import Invention
from parsers.twin.template_words import is_spelt_out
from parsers.twin.twin import Twin, TwinRequest, check_fit, drafted_layout
from parsers.twin.vocabulary import is_usual
from records.document import TableFile
from records.report import ExtractedRow


def twin_of_csv(content: bytes, request: TwinRequest) -> Twin:
    """The twin of a CSV report.

    Raises:
        DocumentError: The file cannot be read.
        TemplateError: The template does not fit it.
    """
    file = table_file.read(content)
    template = request.template
    check_fit(missing_anchors(file, template) if template else ())
    text = content.decode(file.encoding)
    lines = _lines(text, file.separator)
    invention = Invention(
        seed=request.seed, avoid=(word for _, cells in lines for cell in cells for word in cell.split())
    )
    layout = template or drafted_layout(content, Kind.CSV, request)
    rows: Sequence[ExtractedRow] = ()
    invented = InventedRecords()
    if layout is not None:
        rows = extract_csv(file, replace(layout, no_score=()), site=request.site).rows
        invented = invent_records(rows, layout, request.instruments, invention, today=request.today)
    texts = _Texts(file, layout, request, invention, rows, invented)
    made = [texts.line(number, cells) for number, cells in lines]
    return Twin(
        content=_written(made, content=content, text=text, file=file),
        pages=0,
        records=tuple(invented.records) if template else (),
        no_score=invented.no_score if template else 0,
        remarks=() if template else ("No template: every heading that not many reports print is masked too.",),
    )


def _lines(text: str, separator: str) -> list[tuple[int, list[str]]]:
    """Every line of the file with its number, empty ones too."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    found: list[tuple[int, list[str]]] = []
    line = 1
    for cells in reader:
        found.append((line, cells))
        line = reader.line_num + 1
    return found


class _Texts:
    """What each cell says in the twin."""

    def __init__(
        self,
        file: TableFile,
        layout: Template | None,
        request: TwinRequest,
        invention: Invention,
        rows: Sequence[ExtractedRow],
        invented: InventedRecords,
    ) -> None:
        self._request = request
        self._invention = invention
        self._header_line = 0
        self._inventions: dict[int, dict[int, str]] = {}
        if layout is None or not layout.table:
            return
        columns = layout.table[0].columns
        header_at, places = find_csv_header(file, columns)
        if header_at is None:
            return
        self._header_line = file.rows[header_at].line
        at = {id(column): place for column, place in zip(columns, places, strict=True)}
        for row, texts in zip(rows, invented.texts, strict=True):
            by_cell = {id(cell): text for cell, text in texts}
            own = self._inventions.setdefault(row.line or 0, {})
            for column in columns:
                place = at[id(column)]
                alone = column.instrument is None or column.instrument == row.instrument
                cell = row.cell(str(column.field)) if alone else None
                if place is not None and cell is not None and id(cell) in by_cell:
                    own[place] = by_cell[id(cell)]

    def line(self, number: int, cells: Sequence[str]) -> list[str]:
        """The cells of one line."""
        if number == self._header_line:
            return list(cells) if self._request.template is not None else self._usual(cells)
        if number in self._inventions:
            own = self._inventions[number]
            return [own.get(place, self._masked(cell)) for place, cell in enumerate(cells)]
        template = self._request.template
        return self._furniture(cells, template) if template is not None else self._usual(cells)

    def _usual(self, cells: Sequence[str]) -> list[str]:
        return [cell if is_usual(cell) else self._masked(cell) for cell in cells]

    def _furniture(self, cells: Sequence[str], template: Template) -> list[str]:
        text = " ".join(" ".join(cell.split()) for cell in cells if cell.strip())
        spelt = {folded(name) for name in template.clinics} | {folded(anchor) for anchor in template.anchors}
        if folded(text) in spelt:
            return list(cells)
        for piece in template.unread:
            if describes(piece, text):
                if piece.pattern is None:
                    return list(cells)
                return [self._masked(cell, keep=piece.pattern.pattern) for cell in cells]
        return [self._masked(cell) for cell in cells]

    def _masked(self, cell: str, *, keep: str = "") -> str:
        whole = self._date(cell)
        if whole is not None:
            return whole
        words = [
            word if keep and is_spelt_out(word, keep) else self._date(word) or self._invention.masked(word)
            for word in cell.split(" ")
        ]
        return " ".join(words)

    def _date(self, text: str) -> str | None:
        formats = (*(self._request.template.dates if self._request.template else ()), *USUAL_DATE_FORMATS)
        for form in formats:
            made = self._invention.date_text(text, (form,), birth=False, not_after=self._request.today)
            if made is not None:
                return made[0]
        return None


def _written(lines: Sequence[Sequence[str]], *, content: bytes, text: str, file: TableFile) -> bytes:
    out = io.StringIO(newline="")
    end = "\r\n" if "\r\n" in text else "\n"
    quoted = text.lstrip().startswith('"') and text.count('"') > text.count(file.separator)
    writer = csv.writer(
        out,
        delimiter=file.separator,
        lineterminator=end,
        quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL,
    )
    writer.writerows(lines)
    made = out.getvalue()
    if not text.endswith(("\n", "\r")):
        made = made.removesuffix(end)
    if content.startswith(codecs.BOM_UTF16_BE):
        return codecs.BOM_UTF16_BE + made.encode("utf-16-be")
    if content.startswith(codecs.BOM_UTF16_LE):
        return codecs.BOM_UTF16_LE + made.encode("utf-16-le")
    return made.encode(file.encoding, errors="replace")
