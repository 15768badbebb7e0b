"""One mutation of a table file per function: (report, random) to the bytes instead and what is true of them then."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

from bench.printed_report import PrintedReport, Told
from parsers.csv_extraction import find_csv_header
from parsers.readers import table_file
from parsers.template_parts import SCORES, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantFile:
    """A mutated table file and what is true of its records."""

    content: bytes
    told: tuple[Told, ...]


TableMutation = Callable[[PrintedReport, Random], MutantFile | None]


@dataclass(slots=True)
class _Sheet:
    """The cells of a file, to be changed and written again.

    Attributes:
        at: The row of the header.
        fields: For each column of the file: its field and instrument; ("", None) where the template has none.
    """

    rows: list[list[str]]
    at: int
    fields: list[tuple[str, str | None]]
    encoding: str
    separator: str
    newline: str

    @classmethod
    def of(cls, report: PrintedReport) -> _Sheet:
        file = table_file.read(report.content)
        text = report.content.decode(file.encoding)
        newline = "\r\n" if "\r\n" in text else "\n"
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=file.separator))
        columns = report.template.table[0].columns
        number, places = find_csv_header(file, columns)
        assert number is not None
        at = next(n for n, row in enumerate(rows) if tuple(" ".join(c.split()) for c in row) == file.rows[number].cells)
        fields: list[tuple[str, str | None]] = [("", None)] * len(rows[at])
        for column, place in zip(columns, places, strict=True):
            if place is not None:
                fields[place] = str(column.field), column.instrument
        return cls(rows, at, fields, file.encoding, file.separator, newline)

    def body(self) -> list[int]:
        """The rows of records."""
        return [n for n in range(self.at + 1, len(self.rows)) if len(self.rows[n]) == len(self.rows[self.at])]

    def written(self) -> bytes:
        """The file."""
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=self.separator, lineterminator=self.newline).writerows(self.rows)
        return out.getvalue().encode(self.encoding)

    def told(self, report: PrintedReport) -> tuple[Told, ...]:
        """The records by what is in the cells now; every row must still be a record of as many scores."""
        line_of = {}
        line = 1
        for number, row in enumerate(self.rows):
            line_of[line] = number
            line += 1 + sum(cell.count("\n") for cell in row)
        found = []
        for told in report.told:
            row = self.rows[line_of[told.row.line or 0]]
            for place, (name, instrument) in enumerate(self.fields):
                if name and instrument in (None, told.row.instrument) and told.text(name) is not None:
                    told = told.saying(name, " ".join(row[place].split()))
            found.append(told)
        return tuple(found)


def _columns(sheet: _Sheet, *names: str) -> list[int]:
    return [n for n, (name, _) in enumerate(sheet.fields) if (name in names if names else name)]


def swap_table_columns(report: PrintedReport, random: Random) -> MutantFile | None:
    """Two columns change places with their headers."""
    sheet = _Sheet.of(report)
    a, b = random.sample(_columns(sheet), 2)
    for n in (sheet.at, *sheet.body()):
        sheet.rows[n][a], sheet.rows[n][b] = sheet.rows[n][b], sheet.rows[n][a]
    return MutantFile(content=sheet.written(), told=report.told)


def swap_table_headers(report: PrintedReport, random: Random) -> MutantFile | None:
    """Two headers change places, their cells do not: each cell says what its header makes of it."""
    sheet = _Sheet.of(report)
    scores = {str(each) for each in SCORES}
    a, b = random.sample(
        [n for n in _columns(sheet) if sheet.fields[n][1] is None or sheet.fields[n][0] not in scores], 2
    )
    header = sheet.rows[sheet.at]
    header[a], header[b] = header[b], header[a]
    sheet.fields[a], sheet.fields[b] = sheet.fields[b], sheet.fields[a]
    return MutantFile(content=sheet.written(), told=sheet.told(report))


def rename_table_header(report: PrintedReport, random: Random) -> MutantFile | None:
    """A header gets another name."""
    sheet = _Sheet.of(report)
    sheet.rows[sheet.at][random.choice(_columns(sheet))] = "Kestrel"
    return MutantFile(content=sheet.written(), told=report.told)


def double_table_header(report: PrintedReport, random: Random) -> MutantFile | None:
    """A header is named as another column: what a cell below either of them means is not said."""
    sheet = _Sheet.of(report)
    a, b = random.sample(_columns(sheet, "total", "mrn", "birth_date", "authored_on", "family", "name"), 2)
    sheet.rows[sheet.at][a] = sheet.rows[sheet.at][b]
    return MutantFile(content=sheet.written(), told=tuple(replace(told, held=True) for told in report.told))


def insert_table_column(report: PrintedReport, random: Random) -> MutantFile | None:
    """A column of numbers is put in, under a header of its own, under none, or under that of the score."""
    sheet = _Sheet.of(report)
    at = random.randrange(len(sheet.fields) + 1)
    header = random.choice(("Visits", "", sheet.rows[sheet.at][_columns(sheet, "total")[0]]))
    wide = len(sheet.rows[sheet.at])
    for n in (sheet.at, *sheet.body()):
        sheet.rows[n].insert(at, header if n == sheet.at else str(random.randint(0, 9)))
    doubled = header in (cell for cell in sheet.rows[sheet.at][:at] + sheet.rows[sheet.at][at + 1 :])
    assert len(sheet.rows[sheet.at]) == wide + 1
    told = tuple(replace(each, held=each.held or (bool(header) and doubled)) for each in report.told)
    return MutantFile(content=sheet.written(), told=told)


def remove_table_column(report: PrintedReport, random: Random) -> MutantFile | None:
    """A column is no longer written."""
    sheet = _Sheet.of(report)
    at = random.choice(_columns(sheet))
    name, instrument = sheet.fields[at]
    for n in (sheet.at, *sheet.body()):
        del sheet.rows[n][at]
    told = [
        replace(each.saying(name, ""), held=name == "total") if instrument in (None, each.row.instrument) else each
        for each in report.told
    ]
    return MutantFile(content=sheet.written(), told=tuple(told))


def change_table_digit(report: PrintedReport, random: Random) -> MutantFile | None:
    """A digit of a score, a number or a date is another one: the file says so."""
    sheet = _Sheet.of(report)
    places = [
        (n, c, at)
        for n in sheet.body()
        for c in _columns(sheet, "total", "mrn", "birth_date", "authored_on", "item")
        for at, sign in enumerate(sheet.rows[n][c])
        if sign.isdigit()
    ]
    n, c, at = random.choice(places)
    old = sheet.rows[n][c]
    sheet.rows[n][c] = old[:at] + random.choice([d for d in "0123456789" if d != old[at]]) + old[at + 1 :]
    return MutantFile(content=sheet.written(), told=sheet.told(report))


def day_first_table(report: PrintedReport, random: Random) -> MutantFile | None:
    """Day and month of every date of a column change places; that a month is above 12 tells it. They mean the same."""
    sheet = _Sheet.of(report)
    columns = _columns(sheet, str(Field.BIRTH_DATE), str(Field.AUTHORED_ON))
    at = random.choice(columns)
    above = False
    for n in sheet.body():
        for form in report.template.dates:
            try:
                day = datetime.strptime(sheet.rows[n][at], form)  # noqa: DTZ007 - dates on paper have no zone
            except ValueError:
                continue
            above = above or day.day > 12
            other = form.replace("%m", "%_").replace("%d", "%m").replace("%_", "%d")
            sheet.rows[n][at] = day.strftime(other)
            break
    return MutantFile(content=sheet.written(), told=report.told) if above else None


def delete_separator(report: PrintedReport, random: Random) -> MutantFile | None:
    """A separator is missing in one row: its later cells stand one column off."""
    sheet = _Sheet.of(report)
    n = random.choice(sheet.body())
    at = random.randrange(len(sheet.rows[n]) - 1)
    sheet.rows[n][at : at + 2] = ["".join(sheet.rows[n][at : at + 2])]
    if random.random() < 0.5:  # a separator too many at the end makes the row as long as the others
        sheet.rows[n].append("")
    line = n + 1
    told = tuple(replace(each, held=each.held or each.row.line == line) for each in report.told)
    return MutantFile(content=sheet.written(), told=told)


def blank_table_name(report: PrintedReport, random: Random) -> MutantFile | None:
    """A row says no name."""
    sheet = _Sheet.of(report)
    n = random.choice(sheet.body())
    for at in _columns(sheet, "name", "family"):
        sheet.rows[n][at] = ""
    return MutantFile(content=sheet.written(), told=sheet.told(report))


def shift_table_scores(report: PrintedReport, random: Random) -> MutantFile | None:
    """The scores of two rows change places: the file says so."""
    sheet = _Sheet.of(report)
    column = _columns(sheet, "total")[0]
    filled = [n for n in sheet.body() if sheet.rows[n][column].strip().isdigit()]
    n, m = random.sample(filled, 2)
    sheet.rows[n][column], sheet.rows[m][column] = sheet.rows[m][column], sheet.rows[n][column]
    return MutantFile(content=sheet.written(), told=sheet.told(report))


def cut_table(report: PrintedReport, random: Random) -> MutantFile | None:
    """The file ends somewhere in a row of records."""
    sheet = _Sheet.of(report)
    n = random.choice(sheet.body()[1:])
    whole = sheet.written().decode(sheet.encoding).split(sheet.newline)
    text = sheet.newline.join([*whole[:n], whole[n][: random.randrange(1, len(whole[n]))]])
    told = tuple(replace(each, held=each.row.line == n + 1) for each in report.told if (each.row.line or 0) <= n + 1)
    return MutantFile(content=text.encode(sheet.encoding), told=told)


TABLE_MUTATIONS: Sequence[TableMutation] = (
    swap_table_columns, swap_table_headers, rename_table_header, double_table_header, insert_table_column,
    remove_table_column, change_table_digit, day_first_table, delete_separator, blank_table_name, shift_table_scores,
    cut_table,
)  # fmt: skip
