"""CSV files as programs write them: encodings, separators, line ends, quotes, formulas. A crooked one is refused."""

from __future__ import annotations

import codecs
import itertools

import pytest

from parsers.readers import table_file
from parsers.template import Kind
from parsers.template_file import parse_template
from records.errors import UnreadableDocumentError
from tests.unit.parsers.printing import blocking, read, sendable

LONG = parse_template(
    r"""
id: long-export
revision: 1
kind: csv
anchors: [Chart, Scale, Points]
furniture:
  - {pattern: 'Export of \S+'}
  - {pattern: '\d+ rows'}
dates: ['%Y-%m-%d']
table:
  columns:
    - {header: Chart, field: mrn}
    - {header: Client, field: name}
    - {header: Born, field: birth_date}
    - {header: Scale, field: instrument}
    - {header: Points, field: total}
    - {header: Taken, field: authored_on}
""",
    source="long-export.yaml",
)
_HEADER = ("Chart", "Client", "Born", "Scale", "Points", "Taken")
_ANN = ("00104311", "Núñez, Zoë", "1980-04-05", "PHQ-9", "14", "2026-03-02")
_BOB = ("00104377", "Müller, René", "1975-06-07", "GAD-7", "7", "2026-03-03")
_ENCODINGS = {
    "UTF-8": ("utf-8", b""),
    "UTF-8 with its mark": ("utf-8", codecs.BOM_UTF8),
    "UTF-16 little-endian": ("utf-16-le", codecs.BOM_UTF16_LE),
    "UTF-16 big-endian": ("utf-16-be", codecs.BOM_UTF16_BE),
    "Windows-1252": ("cp1252", b""),
}


def _line(cells: tuple[str, ...], separator: str = ",") -> str:
    return separator.join('"' + cell.replace('"', '""') + '"' if set(cell) & {separator, '"', "\n"} else cell
                          for cell in cells)  # fmt: skip


def _file(*rows: tuple[str, ...], separator: str = ",", end: str = "\n") -> str:
    return "".join(_line(row, separator) + end for row in (_HEADER, *rows))


def _records(content: bytes) -> list[tuple[str, str | None, str | None, int | None]]:
    reading = read(content, LONG, kind=Kind.CSV)
    assert reading.findings == ()
    return [(r.patient.name, r.patient.mrn, r.instrument, r.total) for r in sendable(reading)]


_READ = [(row[1], row[0], row[3].lower(), int(row[4])) for row in (_ANN, _BOB)]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
@pytest.mark.parametrize("encoding", _ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["Unix", "Windows"])
def test_every_encoding_separator_and_line_end_is_read_alike(encoding: str, separator: str, end: str) -> None:
    name, mark = _ENCODINGS[encoding]
    assert _records(mark + _file(_ANN, _BOB, separator=separator, end=end).encode(name)) == _READ


def test_lines_before_the_header_and_after_the_rows_are_furniture() -> None:
    text = f"Export of 2026-03-04,,,,,\n\n{_file(_ANN, _BOB)}2 rows,,,,,\n"
    assert _records(text.encode()) == _READ


def test_a_line_break_inside_quotes_begins_no_row() -> None:
    broken = (_ANN[0], "Núñez,\nZoë", *_ANN[2:])
    assert _records(_file(broken, _BOB).encode()) == _READ


def test_a_quote_inside_a_cell_and_a_separator_inside_quotes_are_text() -> None:
    quoted = (_ANN[0], 'Núñez, Zoë "Zo"', *_ANN[2:])
    assert _records(_file(quoted, _BOB).encode())[0][0] == 'Núñez, Zoë "Zo"'


@pytest.mark.parametrize(
    "formula", ["=7+7", "=SUM(A1:A2)", '=HYPERLINK("http://example.org","14")', "@SUM(14)", "14-0"]
)
def test_a_formula_is_never_computed(formula: str) -> None:
    reading = read(_file((*_ANN[:4], formula, _ANN[5]), _BOB).encode(), LONG, kind=Kind.CSV)
    first, second = reading.assessments
    assert (first.total, blocking(reading, first)) == (None, {"total-unreadable"})
    assert second.total == 7


def test_a_number_kept_as_text_is_that_number() -> None:
    assert _records(_file((f'="{_ANN[0]}"', *_ANN[1:]), _BOB).encode()) == _READ


@pytest.mark.parametrize(
    "content",
    [
        _file(_ANN, _BOB).encode("utf-16-le"),
        b"\x00" * 40,
        _file(_ANN).encode() + b"\x81\x8d\n",
        codecs.BOM_UTF8 + b"\xff\xfe",
        _file(_ANN).encode() + b'"A101,open\n',
        _file(_ANN).encode() + b'A101,"Roe" Bob,1975-06-07,GAD-7,7,2026-03-03\n',
    ],
    ids=["UTF-16 without its mark", "zero bytes", "bytes of no encoding", "a mark that is untrue", "an open quote",
         "a quote that ends amid a cell"],
)  # fmt: skip
def test_what_cannot_be_decoded_or_cut_into_cells_is_refused_whole(content: bytes) -> None:
    with pytest.raises(UnreadableDocumentError) as error:
        read(content, LONG, kind=Kind.CSV)
    assert error.value.code == "csv-malformed"


@pytest.mark.parametrize("content", [b"", codecs.BOM_UTF8, b"\n\n \n"])
def test_a_file_without_a_row_is_empty(content: bytes) -> None:
    with pytest.raises(UnreadableDocumentError) as error:
        read(content, LONG, kind=Kind.CSV)
    assert error.value.code == "empty-file"


def test_a_file_cut_anywhere_amid_its_last_line_is_refused_or_its_last_record_waits() -> None:
    whole = _file(_ANN, _BOB).encode()
    last = whole.rindex(b"00104377")
    for length in range(last + 1, len(whole)):
        try:
            reading = read(whole[:length], LONG, kind=Kind.CSV)
        except UnreadableDocumentError:
            continue
        assert [record.patient.mrn for record in sendable(reading)] == [_ANN[0]]


def test_cells_of_any_two_separators_are_never_mixed() -> None:
    for one, other in itertools.permutations(",;\t|", 2):
        name = f"Doe{other} Ann{other} B"
        rows = table_file.read(_file((_ANN[0], name, *_ANN[2:]), separator=one).encode()).rows
        assert [len(row.cells) for row in rows] == [6, 6]
