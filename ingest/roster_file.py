"""Rosters as CSV, with whatever headers the clinic's system gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from parsers.readers import table_file
from records.errors import DocumentError, RosterError
from records.patient import Roster, RosterPatient

# What headers are called, folded to letters; the first is ours.
_HEADERS: Mapping[str, tuple[str, ...]] = {
    "patient_id": ("patientid", "portalid", "id", "personid", "patientidentifier"),
    "site": ("clinic", "site", "clinicid", "facility", "location", "practice"),
    "mrn": ("mrn", "medicalrecordnumber", "chartnumber", "chartid", "chart", "accountnumber", "acct", "clientid"),
    "family": ("lastname", "family", "familyname", "surname", "last"),
    "given": ("firstname", "given", "givenname", "first", "forename"),
    "middle": ("middlename", "middle", "middleinitial", "mi"),
    "suffix": ("suffix", "namesuffix"),
    "preferred": ("preferredname", "preferred", "nickname", "knownas"),
    "former_family": ("formerlastname", "maidenname", "previouslastname", "formername", "birthname"),
    "birth_date": ("dateofbirth", "dob", "birthdate", "born"),
    "sex": ("sex", "gender", "administrativegender", "sexatbirth"),
    "phone": ("phone", "phonenumber", "mobile", "telephone"),
    "active": ("status", "active", "patientstatus"),
}
_NEEDED = ("patient_id", "family", "given")
# More wrong lines than this share, and the export itself is wrong.
_TOLERATED = 0.05
_INACTIVE = frozenset({"inactive", "no", "n", "0", "false", "merged", "deceased", "discharged", "closed"})
_SEXES = {"f": "F", "female": "F", "m": "M", "male": "M", "x": "X", "other": "X"}
_DATES = ("%Y-%m-%d", "%m/%d/%Y", "%Y%m%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterFile:
    """A roster file read.

    Attributes:
        columns: Our field to the file's header.
        ignored: Headers that were not used.
        other_sites: Rows of other clinics, left out.
        warnings: What is wrong with single lines; such a patient is left out or lacks the birth date, so that
            a print of theirs goes to a person.
    """

    roster: Roster
    columns: Mapping[str, str]
    ignored: tuple[str, ...]
    other_sites: int
    warnings: tuple[str, ...]


def read_roster(path: Path, *, site: str) -> RosterFile:
    """The patients of one site in a CSV file; a file without a clinic column belongs to the site as a whole.

    Raises:
        RosterError: The file cannot be read, needed columns are missing, one id names two people, or too many
            lines are wrong: lines are named, values are not.
    """
    try:
        content = path.read_bytes()
        as_of = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        raise RosterError(
            f"The roster {path} cannot be read: {error.strerror}.", next_step="Check the path and its rights."
        ) from None
    try:
        table = table_file.read(content)
    except DocumentError as error:
        raise RosterError(f"The roster {path}: {error.message}", next_step="Export it as CSV, UTF-8.") from None
    header, *rows = table.rows
    columns = _columns(header.cells, path)
    faults: list[str] = []
    doubled: list[str] = []
    patients: dict[str, RosterPatient] = {}
    others = 0
    for row in rows:
        cells = {name: row.cells[at] if at < len(row.cells) else "" for name, at in columns.items()}
        if "site" in columns and cells["site"] != site:
            others += 1
            continue
        patient = _patient(cells, site, row.line, faults)
        if patient is None:
            continue
        if patients.setdefault(patient.patient_id, patient) != patient:
            doubled.append(f"line {row.line}: its patient id stands in an earlier line with other values")
    if doubled or len(faults) > _TOLERATED * len(rows):
        faults = doubled + faults
        shown = "; ".join(faults[:20]) + (f"; and {len(faults) - 20} more" if len(faults) > 20 else "")
        raise RosterError(f"The roster {path} has faults: {shown}.", next_step="Correct these lines and import again.")
    if not patients:
        raise RosterError(
            f"The roster {path} has no patient of site {site}.", next_step="Check the clinic column and --site."
        )
    return RosterFile(
        roster=Roster(site=site, patients=tuple(patients.values()), as_of=as_of),
        columns={name: header.cells[at] for name, at in columns.items()},
        ignored=tuple(cell for at, cell in enumerate(header.cells) if at not in columns.values()),
        other_sites=others,
        warnings=tuple(faults),
    )


def _columns(header: tuple[str, ...], path: Path) -> dict[str, int]:
    folded = ["".join(char for char in cell.casefold() if char.isalnum()) for cell in header]
    columns: dict[str, int] = {}
    for name, wordings in _HEADERS.items():
        at = next((folded.index(wording) for wording in wordings if wording in folded), None)
        if at is not None:
            columns[name] = at
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise RosterError(
            # Only words that are known as headers are repeated: a file without a header begins with a patient.
            f"The roster {path} lacks columns: {', '.join(missing)}. Of its {len(header)} columns these were "
            f"understood: {', '.join(header[at] for at in columns.values()) or 'none'}.",
            next_step="Rename the headers, for instance patient_id,mrn,last_name,first_name,date_of_birth.",
        )
    return columns


def _patient(cells: Mapping[str, str], site: str, line: int, faults: list[str]) -> RosterPatient | None:
    for name in _NEEDED:
        if not cells[name]:
            faults.append(f"line {line}: {name} is blank")
            return None
    return RosterPatient(
        patient_id=cells["patient_id"],
        site=site,
        family=cells["family"],
        given=cells["given"],
        mrn=cells.get("mrn") or None,
        middle=cells.get("middle") or None,
        suffix=cells.get("suffix") or None,
        preferred=cells.get("preferred") or None,
        former_family=cells.get("former_family") or None,
        birth_date=_date(cells.get("birth_date", ""), line, faults),
        sex=_SEXES.get(cells.get("sex", "").casefold()),
        phone=cells.get("phone") or None,
        active=cells.get("active", "").casefold() not in _INACTIVE,
    )


def _date(text: str, line: int, faults: list[str]) -> date | None:
    if not text:
        return None
    for form in _DATES:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a date of birth has no zone
        except ValueError:
            continue
    faults.append(f"line {line}: the date of birth is not like 1984-06-30 or 06/30/1984")
    return None
