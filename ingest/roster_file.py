"""Rosters as CSV, with whatever headers, dates and status words the clinic's system gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from ingest.roster_cells import is_active, is_said, is_spoilt_number, plain, sex_reader, unprotected
from ingest.roster_columns import RosterColumns, RosterLayout, understand
from ingest.roster_dates import DateOrder, UnreadableRosterDateError, date_reader, needs_order, order_of
from ingest.roster_list import Remark, RosterListing, settled, told
from parsers.readers import table_file
from records.document import TableFile, TableRow
from records.errors import DocumentError, RosterError
from records.human_name import NameOrder, split_name
from records.patient import Roster, RosterPatient

# More wrong lines than this share, and the export itself is wrong.
_TOLERATED: Final = 0.05
_LINES_BEFORE_HEADER: Final = 10
_SHOWN_FAULTS: Final = 20
_DATE_FIELDS: Final = ("birth_date", "last_visit")

_Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterFile:
    """A roster file read.

    Attributes:
        columns: Our field to the file's header.
        ignored: Headers that were not used.
        missing: Fields that matching could use and the file does not have.
        dates: How its dates were read, in words.
        other_sites: Rows of other clinics, left out.
        warnings: What is odd, with line numbers and without values; such a patient is left out, lacks the field, or
            waits for a person.
    """

    roster: Roster
    columns: Mapping[str, str]
    ignored: tuple[str, ...]
    missing: tuple[str, ...]
    dates: str
    other_sites: int
    warnings: tuple[str, ...]

    def listing(self, source: str) -> RosterListing:
        """The roster, ready to be imported."""
        return RosterListing(roster=self.roster, source=source, warnings=self.warnings)


def read_roster(path: Path, *, site: str, layout: RosterLayout | None = None) -> RosterFile:
    """The patients of one site in a CSV file; a file without a clinic column belongs to the site as a whole.

    Raises:
        RosterError: The file cannot be read or is cut off, needed columns are missing or can be understood in two
            ways, dates or status words cannot be told, one id names two people, or too many lines are wrong: lines are
            named, values are not.
    """
    try:
        content = path.read_bytes()
        as_of = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        raise RosterError(
            f"The roster {path} cannot be read: {error.strerror}.", next_step="Check the path and its rights."
        ) from None
    try:
        return roster_of(content, site=site, layout=layout, as_of=as_of)
    except RosterError as error:
        raise RosterError(f"The roster {path}: {error.message}", next_step=error.next_step) from None


def roster_of(content: bytes, *, site: str, layout: RosterLayout | None, as_of: datetime) -> RosterFile:
    """The patients of one site in the bytes of a CSV file.

    Args:
        as_of: When the list was right.

    Raises:
        RosterError: As for `read_roster`.
    """
    try:
        table = table_file.read(content)
    except DocumentError as error:
        raise RosterError(error.message, next_step="Export it as CSV, UTF-8.") from None
    return _read(table, site=site, layout=layout or RosterLayout(), as_of=as_of)


def _read(table: TableFile, *, site: str, layout: RosterLayout, as_of: datetime) -> RosterFile:
    at, columns = _header(table.rows, layout)
    width = len(table.rows[at].cells)
    if table.open_end and len(table.rows) > at + 1 and len(table.rows[-1].cells) < width:
        raise RosterError("It ends in the middle of a line.", next_step="Export it again; it was cut off.")
    faults: list[Remark] = []
    lines, other_sites = _lines(table.rows[at + 1 :], columns, width=width, site=site, faults=faults)
    readers = _Readers(lines, columns, layout, today=as_of.date())
    patients, places = _patients(lines, site=site, readers=readers, faults=faults)
    _refuse_too_wrong(faults, of=len(lines), site=site, found=len(patients))
    listed, remarks = settled(list(patients.values()), places, place="line")
    return RosterFile(
        roster=Roster(site=site, patients=listed, as_of=as_of),
        columns=columns.headers,
        ignored=columns.ignored,
        missing=columns.missing,
        dates=readers.dates,
        other_sites=other_sites,
        warnings=told([*faults, *readers.remarks, *remarks], place="line") + readers.notes,
    )


def _header(rows: Sequence[TableRow], layout: RosterLayout) -> tuple[int, RosterColumns]:
    """The first row that is a roster's header; titles and print dates may stand above it."""
    refusal: RosterError | None = None
    for at, row in enumerate(rows[:_LINES_BEFORE_HEADER]):
        try:
            columns = understand(row.cells, layout)
        except RosterError as error:
            refusal = refusal or error
            continue
        if not columns.lacking:
            return at, columns
        if len(columns.places) > 2:  # it is the header, and something is missing: nothing further down is better
            break
    else:
        if refusal is not None:
            raise refusal
        columns = understand(rows[0].cells, RosterLayout())
        row = rows[0]
    # Only words that are known as headers are repeated: a file without a header begins with a patient.
    raise RosterError(
        f"It lacks columns: {', '.join(columns.lacking)}. Of its {len(row.cells)} columns these were understood: "
        f"{', '.join(columns.headers.values()) or 'none'}.",
        next_step='Name them, for instance roster_columns = { patient_id = "Portal no." } in [[site]], or rename '
        "the headers: patient_id,mrn,last_name,first_name,date_of_birth.",
    )


def _lines(
    rows: Sequence[TableRow], columns: RosterColumns, *, width: int, site: str, faults: list[Remark]
) -> tuple[list[tuple[int, _Cells]], int]:
    """Line number and cells by field of each row of the site."""
    lines: list[tuple[int, _Cells]] = []
    others = 0
    for row in rows:
        cells = {name: unprotected(row.cells[at]) if at < len(row.cells) else "" for name, at in columns.places.items()}
        if "site" in cells and cells["site"] != site:
            others += 1
        elif any(row.cells[width:]):
            # A separator inside an unquoted name moves every later cell into the next column.
            faults.append((row.line, "it has more cells than the header; the patient is left out"))
            lines.append((row.line, {}))
        else:
            lines.append((row.line, cells))
    return lines, others


class _Readers:
    """How the cells of this file's columns are read, each told from its whole column."""

    def __init__(
        self, lines: Sequence[tuple[int, _Cells]], columns: RosterColumns, layout: RosterLayout, *, today: date
    ) -> None:
        self.remarks: list[Remark] = []
        self.notes: tuple[str, ...] = ()
        self.name_order: NameOrder = columns.name_order
        self._active_words = frozenset(plain(word) for word in layout.active_words)
        self.sex = sex_reader((cells.get("sex", "") for _, cells in lines), header=columns.headers.get("sex", ""))
        self.birth_date, self.last_visit, self.dates = self._date_readers(lines, columns, layout, today)

    def _date_readers(
        self, lines: Sequence[tuple[int, _Cells]], columns: RosterColumns, layout: RosterLayout, today: date
    ) -> tuple[Callable[[str], date | None], Callable[[str], date | None], str]:
        if layout.date_format is not None:
            read = date_reader(order=None, stated=layout.date_format, today=today)
            return read, read, f"as set, {layout.date_format}"
        texts = {name: [cells.get(name, "") for _, cells in lines] for name in _DATE_FIELDS}
        proven = {name: order_of(texts[name]) for name in _DATE_FIELDS}
        # One system writes its dates one way: a column that proves nothing is read as the other one proves.
        order = proven["birth_date"] or proven["last_visit"]
        if order is None and needs_order(texts["birth_date"]):
            header = columns.headers["birth_date"]
            raise RosterError(
                f"Whether the day or the month comes first cannot be told from its column “{header}”.",
                next_step='Set roster_date_format in [[site]], for instance "%m/%d/%Y" or "%d/%m/%Y".',
            )
        if order is None and needs_order(texts["last_visit"]):
            self.notes = (f"the dates of “{columns.headers['last_visit']}” are not used: day or month first?",)
            return date_reader(order=None, stated=None, today=today), lambda _: None, "year first"
        birth = date_reader(order=order, stated=None, today=today)
        visit = date_reader(order=proven["last_visit"] or order, stated=None, today=today)
        return birth, visit, (order or DateOrder.MONTH_FIRST).value if order else "year first, or month in letters"

    def active(self, cells: _Cells, line: int, unknown: list[Remark]) -> bool:
        """Whether the patient is one of today's; a word that nobody knows is told, and keeps them with a person."""
        if is_said(cells.get("inactive", "")) or is_said(cells.get("deceased", "")):
            return False
        active = is_active(cells.get("active", ""), active_words=self._active_words)
        if active is None:
            unknown.append((line, "its status is no word that is known; the patient counts as inactive"))
        return bool(active)


def _patients(
    lines: Sequence[tuple[int, _Cells]], *, site: str, readers: _Readers, faults: list[Remark]
) -> tuple[dict[str, RosterPatient], dict[str, int]]:
    patients: dict[str, RosterPatient] = {}
    places: dict[str, int] = {}
    doubled: list[Remark] = []
    statuses: list[Remark] = []
    for line, cells in lines:
        patient = _patient(cells, site=site, line=line, readers=readers, faults=faults, statuses=statuses)
        if patient is None:
            continue
        places.setdefault(patient.patient_id, line)
        if patients.setdefault(patient.patient_id, patient) != patient:
            first = places[patient.patient_id]
            doubled.append((line, f"its patient id stands in line {first} with other values"))
    if doubled:
        raise RosterError(
            f"One patient id names two people: {_shown(doubled)}.", next_step="Correct these lines and import again."
        )
    if len(statuses) > _TOLERATED * len(lines):
        raise RosterError(
            f"{len(statuses)} of {len(lines)} lines have a status that is no word for active or inactive, the first in "
            f"line {statuses[0][0]}.",
            next_step="List the words that mean active as roster_active_words in [[site]], or name another column: "
            'roster_columns = { active = "…" }, "" for none.',
        )
    readers.remarks += statuses
    return patients, places


def _patient(
    cells: _Cells, *, site: str, line: int, readers: _Readers, faults: list[Remark], statuses: list[Remark]
) -> RosterPatient | None:
    if not cells:
        return None
    name = _name(cells, readers.name_order)
    for field, text in (("patient_id", cells["patient_id"]), ("family", name["family"]), ("given", name["given"])):
        if not text:
            faults.append((line, f"{field} is blank; the patient is left out"))
            return None
    if is_spoilt_number(cells["patient_id"]):
        faults.append((line, "a spreadsheet has rounded patient_id; the patient is left out"))
        return None
    return RosterPatient(
        patient_id=cells["patient_id"],
        site=site,
        family=name["family"] or "",
        given=name["given"] or "",
        mrn=_number(cells, line, faults),
        middle=cells.get("middle") or name.get("middle"),
        suffix=cells.get("suffix") or name.get("suffix"),
        preferred=cells.get("preferred") or None,
        former_family=cells.get("former_family") or None,
        birth_date=_date(readers.birth_date, cells.get("birth_date", ""), "date of birth", line, faults),
        sex=_sex(cells, line, readers),
        phone=cells.get("phone") or None,
        clinician=cells.get("clinician") or None,
        last_visit=_date(readers.last_visit, cells.get("last_visit", ""), "last visit", line, readers.remarks),
        active=readers.active(cells, line, statuses),
        merged_into=cells.get("merged_into") or None,
    )


def _name(cells: _Cells, order: NameOrder) -> Mapping[str, str | None]:
    if "name" in cells:
        parts = split_name(cells["name"], order=order)
        return {"family": parts.family, "given": parts.given, "middle": parts.middle, "suffix": parts.suffix}
    family = " ".join(part for part in (cells["family"], cells.get("second_family", "")) if part)
    return {"family": family, "given": cells["given"]}


def _number(cells: _Cells, line: int, faults: list[Remark]) -> str | None:
    mrn = cells.get("mrn", "")
    if is_spoilt_number(mrn):
        faults.append((line, "a spreadsheet has rounded the record number, which is not used"))
        return None
    return mrn or None


def _sex(cells: _Cells, line: int, readers: _Readers) -> str | None:
    try:
        return readers.sex(cells.get("sex", ""))
    except ValueError:
        readers.remarks.append((line, "the sex is no word that is known, and is not used"))
        return None


def _date(read: Callable[[str], date | None], text: str, what: str, line: int, remarks: list[Remark]) -> date | None:
    try:
        return read(text)
    except UnreadableRosterDateError as error:
        remarks.append((line, f"the {what} is no date that can be used ({error})"))
        return None


def _refuse_too_wrong(faults: list[Remark], *, of: int, site: str, found: int) -> None:
    if len(faults) > _TOLERATED * of:
        raise RosterError(
            f"{len(faults)} of {of} lines are wrong: {_shown(faults)}.",
            next_step="Correct these lines and import again.",
        )
    if not found:
        raise RosterError(f"It has no patient of site {site}.", next_step="Check the clinic column and --site.")


def _shown(remarks: list[Remark]) -> str:
    sentences = told(remarks, place="line")
    more = f"; and {len(sentences) - _SHOWN_FAULTS} more" if len(sentences) > _SHOWN_FAULTS else ""
    return "; ".join(sentences[:_SHOWN_FAULTS]) + more
