"""One file taken out of a watched folder: whole, once, safely kept, and the original never altered."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from ingest.dry_read import kind_of
from ingest.settings import SourceSettings
from parsers.template import Kind
from records.printed_file import PrintedFile
from store import reports, sightings
from store.database import Database, Session
from store.sightings import SightingState

_HEAD, _TAIL = 1024, 2048  # where readers look for %PDF- and %%EOF
_PRIME = 1_000_003


class Taken(Enum):
    """What became of a file."""

    NEW = "new"
    DUPLICATE = "duplicate"
    UNCHANGED = "unchanged"  # touched, but with the bytes that were taken before
    QUARANTINED = "quarantined"
    WAITS = "waits"  # not whole or not readable yet
    VANISHED = "vanished"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeResult:
    """What became of a file, its report row if there is one, and why it waits or was quarantined."""

    outcome: Taken
    report_id: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file as a scan saw it.

    Attributes:
        shown: Its path as text that can be stored, whatever bytes the name is made of.
        change_mark: Differs whenever the time of its content or of its entry does: a file put over another one
            keeps the old time of the content in some programs, but never both.
    """

    path: Path
    shown: str
    size: int
    change_mark: int
    modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Takes files of one source."""

    database: Database
    source: SourceSettings
    max_bytes: int

    def take(self, file: FoundFile, *, earlier_report: int | None, last_try: bool, now: datetime) -> IntakeResult:
        """Keep the file's bytes and a row for them, in one transaction.

        Args:
            file: A file that has not changed for the quiet time.
            earlier_report: The report taken from this path before, if any.
            last_try: Whether a file that is not whole has waited long enough to be quarantined.
            now: This instant.
        """
        try:
            content = self._content(file, as_seen=not last_try)
        except FileNotFoundError:
            return IntakeResult(outcome=Taken.VANISHED, reason="file-vanished")
        except OSError:
            return self._not_yet(file, b"", "file-locked", earlier_report, last_try=last_try, now=now)
        if content is None:
            return IntakeResult(outcome=Taken.WAITS, reason="incomplete")
        if len(content) > self.max_bytes:
            return self._quarantined(file, None, "file-too-large", earlier_report, now)
        flaw = flaw_of(content, kind_of(file.path.name))
        if flaw in ("incomplete", "empty-file"):
            return self._not_yet(file, content, flaw, earlier_report, last_try=last_try, now=now)
        if flaw is not None:
            return self._quarantined(file, content, flaw, earlier_report, now)
        return self._keep(file, content, earlier_report, now)

    def finish(self, file: FoundFile) -> bool:
        """Move or delete the original as the source says, if it is still the file that was taken.

        Returns False if it could not be done now; the next scan tries again.
        """
        try:
            seen = file.path.lstat()
            if (seen.st_size, change_mark(seen)) != (file.size, file.change_mark) or not stat.S_ISREG(seen.st_mode):
                return False
            if self.source.after == "delete":
                file.path.unlink()
            elif self.source.move_to is not None:
                _move(file.path, self.source.move_to)
        except OSError:
            return False
        return True

    def _content(self, file: FoundFile, *, as_seen: bool) -> bytes | None:
        """The bytes, or None if the file changed while it was read or, if asked, since the scan saw it."""
        with _opened(file.path) as opened:
            before = os.fstat(opened.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise OSError
            content = opened.read(self.max_bytes + 1)
            after = os.fstat(opened.fileno())
        if as_seen and (before.st_size, change_mark(before)) != (file.size, file.change_mark):
            return None
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            return None
        if len(content) != after.st_size and len(content) <= self.max_bytes:
            return None
        return content

    def _keep(self, file: FoundFile, content: bytes, earlier_report: int | None, now: datetime) -> IntakeResult:
        printed = self._printed(file, content, now)
        with self.database.reading() as session:
            if earlier_report is not None:
                earlier = reports.get(session, earlier_report)
                if earlier.sha256 == printed.sha256:
                    return IntakeResult(outcome=Taken.UNCHANGED, report_id=earlier_report)
            known = reports.find_file(session, site=self.source.site, sha256=printed.sha256)
        archived = None if known is not None else self.database.archive.put(content)
        with self.database.session() as session:
            report = reports.take(
                session, printed, source=self.source.name, file_name=Path(file.shown).name, archived=archived
            )
            self._remember(session, file, SightingState.TAKEN, report.report_id, None, now)
        duplicate = report.state is reports.ReportState.DUPLICATE
        return IntakeResult(outcome=Taken.DUPLICATE if duplicate else Taken.NEW, report_id=report.report_id)

    def _not_yet(
        self,
        file: FoundFile,
        content: bytes,
        reason: str,
        earlier_report: int | None,
        *,
        last_try: bool,
        now: datetime,
    ) -> IntakeResult:
        if last_try:
            return self._quarantined(file, content, reason, earlier_report, now)
        return IntakeResult(outcome=Taken.WAITS, reason=reason)

    def _quarantined(
        self, file: FoundFile, content: bytes | None, reason: str, earlier_report: int | None, now: datetime
    ) -> IntakeResult:
        """Set a file aside; `content` is None for one too large to be kept."""
        printed = self._printed(file, content, now)
        report_id = self._same_in_quarantine(earlier_report, printed, reason)
        archived = self.database.archive.put(content) if content and report_id is None else None
        with self.database.session() as session:
            if report_id is None:
                report_id = reports.quarantine_file(
                    session,
                    printed,
                    source=self.source.name,
                    file_name=Path(file.shown).name,
                    reason=reason,
                    now=now,
                    archived=archived,
                ).report_id
            self._remember(session, file, SightingState.QUARANTINED, report_id, reason, now)
        return IntakeResult(outcome=Taken.QUARANTINED, report_id=report_id, reason=reason)

    def _same_in_quarantine(self, earlier_report: int | None, printed: PrintedFile, reason: str) -> int | None:
        """The report of this path, if it is in quarantine for these bytes already: touching a file is no news."""
        if earlier_report is None:
            return None
        with self.database.reading() as session:
            earlier = reports.get(session, earlier_report)
        same = (earlier.sha256, earlier.state) == (printed.sha256, reports.ReportState.QUARANTINED)
        return earlier_report if same and reason in earlier.reasons else None

    def _remember(
        self,
        session: Session,
        file: FoundFile,
        state: SightingState,
        report_id: int,
        reason: str | None,
        now: datetime,
    ) -> None:
        """In the same transaction as the report: a crash between the two would take the file a second time."""
        sightings.remember(
            session,
            self.source.name,
            file.shown,
            size=file.size,
            mtime_ns=file.change_mark,
            state=state,
            report_id=report_id,
            reason=reason,
            now=now,
        )

    def _printed(self, file: FoundFile, content: bytes | None, now: datetime) -> PrintedFile:
        return PrintedFile(
            path=file.shown,
            sha256=_digest_of(file.path) if content is None else hashlib.sha256(content).hexdigest(),
            size_bytes=file.size if content is None else len(content),
            seen_at=now,
            site=self.source.site,
        )


def change_mark(seen: os.stat_result) -> int:
    """Both times of a file in one number that any database holds: file servers hand out times no calendar has."""
    return (seen.st_mtime_ns * _PRIME + seen.st_ctime_ns) % 2**63


def _opened(path: Path) -> BinaryIO:
    # Between scan and opening, a link or a pipe may have taken the file's place: follow neither, wait for neither.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags), "rb")


def _digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    with _opened(path) as opened:
        while piece := opened.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def flaw_of(content: bytes, kind: Kind) -> str | None:
    """Reason code of why a file is not taken as it is ("incomplete" may still become whole), or None."""
    if not content:
        return "empty-file"
    if not content.strip(b"\0"):
        return "incomplete"  # a copy over the network reserves the space first
    if kind is Kind.CSV and not content.startswith(b"%PDF-"):
        return None
    if b"%PDF-" not in content[:_HEAD]:
        # The first bytes of a PDF come first, however slowly it is written.
        return "not-a-pdf" if len(content) >= len(b"%PDF-") else "incomplete"
    return None if b"%%EOF" in content[-_TAIL:] else "incomplete"


def _move(path: Path, folder: Path) -> None:
    """Move a file into a folder under its own name, or with a number after it if that name is taken."""
    folder.mkdir(parents=True, exist_ok=True)
    target, number = folder / path.name, 1
    while True:
        try:
            # Whoever makes the name owns it: two sources may move into one folder, and yesterday's file stays.
            target.touch(exist_ok=False)
            break
        except FileExistsError:
            number += 1
            target = folder / f"{path.stem[:100]}-{number}{path.suffix}"
    try:
        shutil.move(path, target)
    except OSError:
        if path.exists():
            target.unlink(missing_ok=True)
        raise
