"""The watched folders, for the pages and the API: how each is, and having one read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from records.errors import DecisionRefusedError
from review.access import Visitor
from review.office import Office
from review.setup import SourceSetup
from review.site_scope import NotThereError
from review.uploads import MOST_REPORT_BYTES, UploadedFile
from review.work import ask_for
from store import backlog, reports, sightings, work_requests
from store.database import Session
from store.reports import StoredReport
from store.sightings import Sighting, SightingState
from store.work_requests import WorkKind, WorkRequest

_ENDINGS: Final = (".pdf", ".csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFault:
    """Why a file cannot be taken.

    Attributes:
        number: Which of the files, from 1.
        file_name: As it was uploaded; it may name a patient.
        words: The end of a sentence that begins with the file.
    """

    number: int
    file_name: str
    words: str


class UploadRefusedError(DecisionRefusedError):
    """Nothing of an upload was taken.

    Attributes:
        faults: Every file that cannot be taken; empty where there was no file.
    """

    def __init__(self, faults: Sequence[UploadFault]) -> None:
        said = "; ".join(f"file {one.number}: {one.words}" for one in faults) or "no file was chosen"
        super().__init__(f"Nothing was taken: {said}.", next_step="Leave these out, or correct them, and upload again.")
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One folder as it is at this moment.

    Attributes:
        counts: Files in each state of a sighting.
        last_scan: When it was last read, or None.
        is_deaf: It has not been read for too long, or never; None where nobody knows.
        last_report: When its latest report was taken, or None.
    """

    setup: SourceSetup
    counts: Mapping[SightingState, int]
    last_scan: datetime | None
    is_deaf: bool | None
    last_report: datetime | None


def seen(office: Office, visitor: Visitor) -> list[tuple[int, SourceSetup]]:
    """Every folder of the visitor's sites with its place in the settings."""
    sites = office.sites_seen(visitor.user)
    return [(number, one) for number, one in enumerate(office.setup.sources) if one.site in sites]


def known(office: Office, visitor: Visitor, key: str) -> tuple[int, SourceSetup]:
    """One folder of the visitor's sites by its key.

    Raises:
        NotThereError: There is none.
    """
    for number, one in seen(office, visitor):
        if one.key == key:
            return number, one
    raise NotThereError


def row(session: Session, office: Office, setup: SourceSetup, number: int) -> SourceRow:
    """A folder as it is at this moment."""
    scanned, is_deaf = _hearing(office, number)
    return SourceRow(
        setup=setup,
        counts=sightings.counts(session, setup.name),
        last_scan=scanned,
        is_deaf=is_deaf,
        last_report=reports.last_seen(session, setup.name),
    )


def _hearing(office: Office, number: int) -> tuple[datetime | None, bool | None]:
    """When a folder was last read and whether that is too long ago, as `/health` says."""
    listed = (office.health() if office.health else {}).get("sources")
    if not isinstance(listed, list) or number >= len(listed):
        return None, None
    scanned = listed[number].get("last_good_scan")
    return datetime.fromisoformat(scanned) if scanned else None, bool(listed[number].get("deaf"))


def quarantine(session: Session, setup: SourceSetup) -> list[StoredReport]:
    """Reports of a folder that could not be read."""
    return [one for one in reports.quarantined(session, site=setup.site) if one.source == setup.name]


def in_state(files: Sequence[Sighting], state: SightingState) -> list[Sighting]:
    """Files in one state, the first seen first."""
    return sorted((one for one in files if one.state is state), key=lambda one: one.first_seen)


def scan(office: Office, visitor: Visitor, key: str) -> WorkRequest:
    """Have a folder read now."""
    _, setup = known(office, visitor, key)
    return ask_for(office, visitor, WorkKind.SCAN_SOURCE, setup.name, site=setup.site)


def take_backlog(office: Office, visitor: Visitor, key: str) -> WorkRequest:
    """Have the files taken that were there before the first day of the folder."""
    _, setup = known(office, visitor, key)
    with office.database.session() as session:
        backlog.release(session, setup.name, actor=visitor.user.name, now=office.now())
    return ask_for(office, visitor, WorkKind.SCAN_SOURCE, setup.name, site=setup.site)


def upload(office: Office, visitor: Visitor, site: str, files: Sequence[UploadedFile]) -> list[WorkRequest]:
    """Take report files of a site that the visitor sees, all or none, as if they had been printed into its folder.

    Raises:
        UploadRefusedError: There is no file, or one is no report, empty or too large.
    """
    faults = [
        UploadFault(number=number, file_name=file.name, words=words)
        for number, file in enumerate(files, start=1)
        if (words := _fault(file, most_bytes=most_bytes(office)))
    ]
    if faults or not files:
        raise UploadRefusedError(faults)
    kept = [(file.name, office.database.archive.put(file.content)) for file in files]
    with office.database.session() as session:
        asked = [
            work_requests.ask(
                session, WorkKind.TAKE_REPORT, f"{site}:upload", site=site, actor=visitor.user.name, now=office.now(),
                document=archived, file_name=name,
            )
            for name, archived in kept
        ]  # fmt: skip
    office.setup.work_asked()
    return asked


def most_bytes(office: Office) -> int:
    """The largest report file that can be uploaded."""
    return min(office.setup.largest_report, MOST_REPORT_BYTES)


def _fault(file: UploadedFile, *, most_bytes: int) -> str:
    if not file.name.lower().endswith(_ENDINGS):
        return "only PDF and CSV files are reports"
    if not file.content:
        return "the file is empty"
    return f"larger than {most_bytes // (1024 * 1024)} MB" if len(file.content) > most_bytes else ""
