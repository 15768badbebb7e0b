"""What staff typed, as a CSV export of the portal, with whatever headers and dates it has. Taken whole or not at all.

A mistake of staff is what the comparison is for, so a total out of range or a patient nobody knows is taken as it is;
what cannot be read as a value at all is a fault of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final

from ingest.roster_cells import is_spoilt_number, unprotected
from ingest.roster_columns import fold
from ingest.roster_dates import UnreadableRosterDateError, date_reader, needs_order, order_of
from ingest.roster_list import Remark
from parsers.instrument_library import load_instruments, resolve
from parsers.readers import table_file
from records.comparison import TypedEntry
from records.document import TableFile, TableRow
from records.errors import DocumentError, RosterError, ScorebridgeError
from records.instrument import Instrument

# What headers are called, folded to letters and digits.
_WORDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "patient": (
        "patientid", "portalid", "personid", "patientidentifier", "patientkey", "externalid", "idpaciente", "idpatient",
        "patientenid", "clientid", "memberid", "patient",
    ),
    "instrument": (
        "instrument", "questionnaire", "measure", "outcomemeasure", "assessment", "screener", "scale", "test", "form",
        "cuestionario", "instrumento", "questionario", "fragebogen", "instrumentname", "measurename", "assessmentname",
    ),
    "date": (
        "date", "administeredon", "dateadministered", "administrationdate", "completed", "completedon", "datecompleted",
        "completiondate", "assessmentdate", "authoredon", "effectivedate", "scoredate", "fecha", "datum", "testdate",
        "dateofassessment", "dateofadministration",
    ),
    "total": ("total", "score", "totalscore", "result", "value", "puntaje", "puntuacion", "summe", "gesamtwert", "sum"),
}  # fmt: skip
_FIELD_OF: Final = {wording: name for name, wordings in _WORDINGS.items() for wording in wordings}
_ITEM: Final = re.compile(r"(?:item|question|answer|q|frage|pregunta|i)0*([1-9]\d?)")
_WHOLE: Final = re.compile(r"(\d{1,4})(?:[.,]0+)?")
_NOT_TYPED: Final = frozenset({"", "-", "--", "n/a", "na", "null", "none"})
_LINES_BEFORE_HEADER: Final = 10
FIELDS: Final = tuple(_WORDINGS)
"""The columns that are needed; answers stand in columns such as item-1."""


class TypedFileError(ScorebridgeError):
    """A file of typed values was refused whole; the message lists every fault with its line, without values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedLayout:
    """What a person says about the file.

    Attributes:
        columns: Field ("patient", "date", "item-3") to the header it stands under.
        date_format: `strptime` format of all dates, or None to tell it from the dates themselves.
        instruments: Name in the file to an instrument id; "" for rows to be left out.
    """

    columns: Mapping[str, str]
    date_format: str | None
    instruments: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedFile:
    """A file read.

    Attributes:
        columns: Our field to the file's header.
        left_out: Rows of questionnaires that a person asked to leave out.
        unknown_patients: Rows whose patient is not on the roster.
    """

    entries: tuple[TypedEntry, ...]
    columns: Mapping[str, str]
    sha256: str
    left_out: int
    unknown_patients: int


def read_typed_file(path: Path, *, layout: TypedLayout, patients: Collection[str], today: date) -> TypedFile:
    """The values of a CSV file.

    Args:
        patients: The portal's ids on the site's roster; empty if there is none, and nothing is said of them then.
        today: Later dates are faults.

    Raises:
        TypedFileError: It cannot be read or is cut off, columns are missing or can be understood in two ways, a cell
            holds no value, or most patients are unknown.
    """
    try:
        content = path.read_bytes()
        table = table_file.read(content)
    except OSError as error:
        raise TypedFileError(f"{path} cannot be read: {error.strerror}.", next_step="Check path and rights.") from None
    except DocumentError as error:
        raise TypedFileError(f"{path}: {error.message}", next_step="Export it as CSV, UTF-8.") from None
    try:
        return _read(table, sha256(content).hexdigest(), layout=layout, patients=patients, today=today)
    except (TypedFileError, RosterError) as error:
        raise TypedFileError(f"{path}: {error.message}", next_step=error.next_step) from None


def _read(table: TableFile, digest: str, *, layout: TypedLayout, patients: Collection[str], today: date) -> TypedFile:
    at, places = _header(table.rows, layout)
    header, rows = table.rows[at].cells, table.rows[at + 1 :]
    faults: list[Remark] = []
    if table.open_end and rows and len(rows[-1].cells) < len(header):
        faults.append((rows[-1].line, "the file ends in the middle of this line"))
    lines = list(_lines(rows, places, width=len(header), faults=faults))
    read = _Cells(lines, layout, header=header[places["date"]], today=today)
    entries = [entry for line, cells in lines if (entry := read.entry(line, cells, faults)) is not None]
    if faults:
        told = "".join(f"\n  line {line}: {what}" for line, what in sorted(faults))
        raise TypedFileError(f"It has {len(faults)} faults:{told}", next_step="Correct these lines and import again.")
    if not entries:
        raise TypedFileError("It holds no values.", next_step="Export it again.")
    unknown = sum(entry.patient_id not in patients for entry in entries) if patients else 0
    if unknown * 2 > len(entries):
        raise TypedFileError(
            f"{unknown} of its {len(entries)} patients are not on the roster of the site.",
            next_step="Export the portal's own patient id, not the record number; or check --site.",
        )
    return TypedFile(
        entries=tuple(entries),
        columns={name: header[place] for name, place in places.items()},
        sha256=digest,
        left_out=read.left_out,
        unknown_patients=unknown,
    )


def _header(rows: Sequence[TableRow], layout: TypedLayout) -> tuple[int, dict[str, int]]:
    """The first row that has all needed columns; titles may stand above it."""
    refusal = TypedFileError("It has no header.", next_step="Export it with its header.")
    for at, row in enumerate(rows[:_LINES_BEFORE_HEADER]):
        places, doubled = _places(row.cells, layout)
        lacking = [name for name in FIELDS if name not in places]
        if not lacking and doubled:
            raise TypedFileError(
                f"Its header can be understood in two ways: two columns could be {', '.join(sorted(doubled))}.",
                next_step="Say which, for instance --column 'total=Score'.",
            )
        if not lacking:
            return at, places
        if at == 0 or len(places) > 1:
            # Only our own names are repeated: a file without a header begins with a patient.
            refusal = TypedFileError(
                f"It lacks columns: {', '.join(lacking)}.",
                next_step="Name them, for instance --column 'patient=Portal no.'.",
            )
        if len(places) > 1:
            break
    raise refusal


def _places(header: Sequence[str], layout: TypedLayout) -> tuple[dict[str, int], set[str]]:
    """Field to its column, and the fields that two columns could be."""
    stated = {fold(wanted): name for name, wanted in layout.columns.items()}
    places: dict[str, int] = {}
    doubled: set[str] = set()
    for at, cell in enumerate(header):
        name = stated.get(fold(cell)) or _guess(cell)
        if name is None or (name in layout.columns and fold(layout.columns[name]) != fold(cell)):
            continue
        if name in places:
            doubled.add(name)
        places.setdefault(name, at)
    return places, doubled


def _guess(cell: str) -> str | None:
    folded = fold(cell)
    item = _ITEM.fullmatch(folded)
    return f"item-{item[1]}" if item else _FIELD_OF.get(folded)


def _lines(
    rows: Sequence[TableRow], places: Mapping[str, int], *, width: int, faults: list[Remark]
) -> list[tuple[int, dict[str, str]]]:
    lines = []
    for row in rows:
        if any(row.cells[width:]):
            faults.append((row.line, "it has more cells than the header"))
            continue
        cells = {name: unprotected(row.cells[at]) if at < len(row.cells) else "" for name, at in places.items()}
        lines.append((row.line, cells))
    return lines


class _Cells:
    """How the cells of this file are read, its dates told from their whole column."""

    def __init__(
        self, lines: Sequence[tuple[int, Mapping[str, str]]], layout: TypedLayout, *, header: str, today: date
    ) -> None:
        self.left_out = 0
        self._instruments: Mapping[str, Instrument] = load_instruments()
        self._names = {fold(name): wanted for name, wanted in layout.instruments.items()}
        unknown = sorted({wanted for wanted in self._names.values() if wanted and wanted not in self._instruments})
        if unknown:
            raise TypedFileError(f"There is no instrument {', '.join(unknown)}.", next_step="Use ids such as phq-9.")
        self._date = self._date_reader([cells["date"] for _, cells in lines], layout, header, today)
        numbers = [int(name[5:]) for _, cells in lines[:1] for name in cells if name.startswith("item-")]
        self._questions = max(numbers, default=0)

    def entry(self, line: int, cells: Mapping[str, str], faults: list[Remark]) -> TypedEntry | None:
        """The value of a line; None for a line to be left out or with faults, each of which is added."""
        before = len(faults)
        instrument = self._instrument(cells["instrument"], line, faults)
        if instrument is None:
            return None
        day = self._day(cells["date"], line, faults)
        total, result = self._score(cells["total"], instrument, line, faults)
        items = self._items(cells, instrument, line, faults)
        if not cells["patient"] or is_spoilt_number(cells["patient"]):
            faults.append((line, "the patient id is blank, or a spreadsheet has rounded it"))
        if len(faults) > before or day is None:
            return None
        return TypedEntry(
            patient_id=cells["patient"],
            instrument=instrument.instrument_id,
            administered_on=day,
            total=total,
            result=result,
            items=items,
            line=line,
        )

    def _date_reader(
        self, texts: Sequence[str], layout: TypedLayout, header: str, today: date
    ) -> Callable[[str], date | None]:
        if layout.date_format is not None:
            return date_reader(order=None, stated=layout.date_format, today=today)
        order = order_of(texts)
        if order is None and needs_order(texts):
            raise TypedFileError(
                f"Whether the day or the month comes first cannot be told from its column “{header}”.",
                next_step="Say it, for instance --date-format %m/%d/%Y.",
            )
        return date_reader(order=order, stated=None, today=today)

    def _instrument(self, text: str, line: int, faults: list[Remark]) -> Instrument | None:
        stated = self._names.get(fold(text))
        if stated == "":
            self.left_out += 1
            return None
        found = stated or resolve(text, self._instruments).instrument_id
        if found is None or (stated is None and resolve(text, self._instruments).ambiguous):
            faults.append((line, "the questionnaire is no known name; say which with --instrument 'NAME=phq-9'"))
            return None
        return self._instruments[found]

    def _day(self, text: str, line: int, faults: list[Remark]) -> date | None:
        try:
            day = self._date(text)
        except UnreadableRosterDateError as error:
            faults.append((line, f"the date cannot be used ({error})"))
            return None
        if day is None:
            faults.append((line, "the date is blank"))
        return day

    def _score(
        self, text: str, instrument: Instrument, line: int, faults: list[Remark]
    ) -> tuple[int | None, str | None]:
        whole = _WHOLE.fullmatch(text)
        if whole is not None and instrument.maximum is not None:
            return int(whole[1]), None
        if instrument.maximum is None and text.casefold() not in _NOT_TYPED:
            return None, text
        faults.append((line, "the total is no whole number" if text else "the total is blank"))
        return None, None

    def _items(
        self, cells: Mapping[str, str], instrument: Instrument, line: int, faults: list[Remark]
    ) -> tuple[int | None, ...] | None:
        """The answers in the order of the form; None where none were typed. A blank one among others is blank."""
        texts = [cells.get(f"item-{number}", "") for number in range(1, self._questions + 1)]
        if all(text.casefold() in _NOT_TYPED for text in texts):
            return None
        asked = instrument.item_count or len(texts)
        if any(text.casefold() not in _NOT_TYPED for text in texts[asked:]):
            faults.append((line, f"it has answers beyond the {asked} questions of the questionnaire"))
        points: list[int | None] = []
        for number, text in enumerate(texts[:asked], start=1):
            whole = _WHOLE.fullmatch(text)
            if whole is None and text.casefold() not in _NOT_TYPED:
                faults.append((line, f"answer {number} is no whole number"))
            points.append(int(whole[1]) if whole else None)
        return tuple(points)
