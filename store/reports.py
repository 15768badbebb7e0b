"""Printed files from arrival to hand-over: what came, what became of it, what a person should look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlmodel import Session, and_, col, or_, select

from records.audit import AuditEvent
from records.errors import DecisionRefusedError, StoreError
from records.finding import Finding, sentence
from records.printed_file import PrintedFile
from store import audit, notices
from store.archive import ArchivedDocument
from store.context import stored_id
from store.serialised import codes_of, codes_text, encodable, findings_of
from store.tables import ReportRow

MAX_ATTEMPTS: Final = 50
"""A report claimed more often than this takes the whole service down: quarantine it instead of reading it.

High, since power cuts and restarts count too; a file that only kills its reading process is quarantined at once."""

UNKNOWN_LAYOUT: Final = "layout-unknown"
"""Kind of the notice that no template could be chosen for a report; its subject is "report N"."""

# Bytes that are not the whole file yet: the same bytes may come again as a file to be taken.
_NOT_WHOLE: Final = frozenset({"incomplete", "empty-file", "file-locked", "file-vanished"})


class ReportState(StrEnum):
    """Where a printed file is."""

    WAITING = "waiting"
    READING = "reading"
    HANDED_OVER = "handed-over"
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """One arrival of one printed file.

    Attributes:
        source: The watched folder's id.
        file_name: For people.
        template: "id@revision" once read, else None.
        pages: None until read.
        no_score: Rows that say they have no score.
        printed: Records found in it.
        reasons: Codes of why it is quarantined, a duplicate, or needs attention.
        findings: About the file or a page, for the reviewer's eyes.
        attempts: How often reading was begun without being given back.
        document_id: Its copy in the archive; None for duplicates and for files that had no bytes.
        duplicate_of: The report that owns the same bytes, or None.
        day: The day whose balance its records belong to; None until read.
        attention: A person has yet to look at the report itself.
    """

    report_id: int
    site: str
    source: str
    file_name: str
    path: str
    sha256: str
    size_bytes: int
    seen_at: datetime
    state: ReportState
    template: str | None
    pages: int | None
    no_score: int
    printed: int
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    attempts: int
    document_id: str | None
    duplicate_of: int | None
    day: date | None
    attention: bool


def take(
    session: Session,
    printed: PrintedFile,
    *,
    source: str,
    file_name: str,
    archived: ArchivedDocument | None,
    state: ReportState = ReportState.WAITING,
    reason: str | None = None,
) -> StoredReport:
    """Book an arrival. Bytes known at this site already become a duplicate, whose archive copy is left to the sweep.

    Args:
        archived: The copy in the archive; None only for a file that will not be read (quarantined, or backlog listed).
        state: WAITING, or QUARANTINED.
        reason: Reason code of a quarantined file.
    """
    owner = find_file(session, site=printed.site, sha256=printed.sha256)
    whole = reason not in _NOT_WHOLE
    row = ReportRow(
        site=printed.site,
        source=source,
        file_name=encodable(file_name),
        path=encodable(printed.path),
        sha256=printed.sha256,
        size_bytes=printed.size_bytes,
        seen_at=printed.seen_at,
        state=state,
        reasons=codes_text((reason,) if reason else ()),
    )
    if owner is not None and whole:
        _repeat(row, owner)
    else:
        row.identity = printed.sha256 if whole else None
        row.document_id = archived.document_id if archived else None
        row.wrapped_key = archived.wrapped_key if archived else None
    session.add(row)
    session.flush()
    detail = [("state", row.state)]
    if row.duplicate_of is not None:
        detail.append(("duplicate-of", str(row.duplicate_of)))
    if reason:
        detail.append(("reason", reason))
    _audit(session, row, "report.taken", actor="service", now=printed.seen_at, detail=tuple(detail))
    return stored_report(row)


def find_file(session: Session, *, site: str, sha256: str) -> StoredReport | None:
    """The report that owns these bytes at this site, or None: then they may be archived and taken."""
    query = select(ReportRow).where(col(ReportRow.site) == site, col(ReportRow.identity) == sha256)
    row = session.exec(query).first()
    return None if row is None else stored_report(row)


def quarantine(session: Session, report_id: int, *, reason: str, now: datetime) -> StoredReport:
    """Set a report aside that cannot be read, with a notice for the operator. A handed-over one stays as it is."""
    row = report_row(session, report_id)
    if row.state in (ReportState.HANDED_OVER, ReportState.DUPLICATE, ReportState.QUARANTINED):
        return stored_report(row)
    sentence(reason)
    row.state, row.lease_until, row.reasons = ReportState.QUARANTINED, None, codes_text((reason,))
    session.add(row)
    _leave_notice(session, row, reason, now=now)
    _audit(session, row, "report.quarantined", actor="service", now=now, detail=(("reason", reason),))
    return stored_report(row)


def quarantine_file(
    session: Session,
    printed: PrintedFile,
    *,
    source: str,
    file_name: str,
    reason: str,
    now: datetime,
    archived: ArchivedDocument | None = None,
) -> StoredReport:
    """Book a file that cannot be taken (empty, incomplete for too long, locked), with a notice for the operator."""
    sentence(reason)
    stored = take(
        session,
        printed,
        source=source,
        file_name=file_name,
        archived=archived,
        state=ReportState.QUARANTINED,
        reason=reason,
    )
    if stored.state is ReportState.QUARANTINED:
        _leave_notice(session, report_row(session, stored.report_id), reason, now=now)
    return stored


def claim_unread(session: Session, *, now: datetime, lease: timedelta, limit: int) -> list[StoredReport]:
    """Claim up to `limit` reports to read, fresh ones first, then by age; nobody else has them before `now + lease`.

    A reader that dies gives its reports back by the lease running out. `attempts` counts the beginnings: above
    `MAX_ATTEMPTS` the caller quarantines the report instead of reading it.
    """
    free = or_(
        col(ReportRow.state) == ReportState.WAITING,
        and_(col(ReportRow.state) == ReportState.READING, col(ReportRow.lease_until) <= now),
    )
    rows = session.exec(
        select(ReportRow).where(free).order_by(col(ReportRow.attempts), col(ReportRow.id)).limit(limit)
    ).all()
    for row in rows:
        row.state, row.lease_until, row.attempts = ReportState.READING, now + lease, row.attempts + 1
        session.add(row)
    session.flush()
    return [stored_report(row) for row in rows]


def release(session: Session, report_id: int) -> None:
    """Give a claimed report back unread, as on an orderly stop: that attempt does not count."""
    row = report_row(session, report_id)
    if row.state == ReportState.READING:
        row.state, row.lease_until, row.attempts = ReportState.WAITING, None, max(0, row.attempts - 1)
        session.add(row)
        session.flush()


def give_back_all(session: Session) -> int:
    """Give back what an earlier run of the service was reading when it ended; return how many reports.

    Should another service be reading them still, they are read twice and handed over once.
    """
    rows = session.exec(select(ReportRow).where(col(ReportRow.state) == ReportState.READING)).all()
    for row in rows:
        row.state, row.lease_until = ReportState.WAITING, None
        session.add(row)
    session.flush()
    return len(rows)


def process_again(session: Session, report_id: int, *, actor: str, now: datetime) -> StoredReport:
    """Let a quarantined report be read once more.

    Raises:
        DecisionRefusedError: It is not in quarantine, or there is no copy to read.
    """
    row = report_row(session, report_id)
    if row.state != ReportState.QUARANTINED:
        raise DecisionRefusedError(f"Report {report_id} is not in quarantine.", next_step="Reload the list.")
    if row.document_id is None or row.wrapped_key is None:
        raise DecisionRefusedError(f"There is no copy of report {report_id}.", next_step="Print the report again.")
    owner = find_file(session, site=row.site, sha256=row.sha256)
    if owner is not None and owner.report_id != row.id:
        _repeat(row, owner)
    else:
        row.state, row.identity, row.attempts, row.reasons = ReportState.WAITING, row.sha256, 0, codes_text(())
    session.add(row)
    notices.resolve(session, "file-quarantined", f"report {row.id}", now=now)
    _audit(session, row, "report.processed-again", actor=actor, now=now)
    return stored_report(row)


def get(session: Session, report_id: int) -> StoredReport:
    """One report.

    Raises:
        StoreError: There is none with this id.
    """
    return stored_report(report_row(session, report_id))


def recent(
    session: Session, *, site: str | None = None, states: tuple[ReportState, ...] | None = None, limit: int = 100
) -> list[StoredReport]:
    """The latest arrivals, newest first."""
    query = select(ReportRow)
    if site is not None:
        query = query.where(col(ReportRow.site) == site)
    if states is not None:
        query = query.where(col(ReportRow.state).in_(states))
    return [stored_report(row) for row in session.exec(query.order_by(col(ReportRow.id).desc()).limit(limit))]


def named(session: Session, file_name: str, *, limit: int = 50) -> list[int]:
    """The latest reports whose file has this name, newest first."""
    query = select(ReportRow.id).where(col(ReportRow.file_name) == file_name).order_by(col(ReportRow.id).desc())
    return [stored_id(number) for number in session.exec(query.limit(limit))]


def read_on(
    session: Session, *, first: date | None, last: date | None, site: str | None = None, source: str | None = None
) -> list[StoredReport]:
    """The reports of these days whose bytes were read and are kept, oldest first; None leaves that side open."""
    query = select(ReportRow).where(
        col(ReportRow.state) == ReportState.HANDED_OVER, col(ReportRow.wrapped_key).is_not(None)
    )
    for column, wanted in ((ReportRow.site, site), (ReportRow.source, source)):
        if wanted is not None:
            query = query.where(col(column) == wanted)
    if first is not None:
        query = query.where(col(ReportRow.day) >= first)
    if last is not None:
        query = query.where(col(ReportRow.day) <= last)
    return [stored_report(row) for row in session.exec(query.order_by(col(ReportRow.id)))]


def quarantined(session: Session, *, site: str | None = None, limit: int = 100) -> list[StoredReport]:
    """Reports set aside, newest first."""
    return recent(session, site=site, states=(ReportState.QUARANTINED,), limit=limit)


def last_seen(session: Session, source: str) -> datetime | None:
    """When the latest file of this source was taken, or None if none ever was."""
    query = select(ReportRow.seen_at).where(col(ReportRow.source) == source)
    return session.exec(query.order_by(col(ReportRow.seen_at).desc()).limit(1)).first()


def document_of(session: Session, report_id: int) -> tuple[str, bytes] | None:
    """Archive id and wrapped key of a report's bytes (for a duplicate: of the report it repeats), or None."""
    row = report_row(session, report_id)
    if row.document_id is None and row.duplicate_of is not None:
        row = report_row(session, row.duplicate_of)
    return None if row.document_id is None or row.wrapped_key is None else (row.document_id, row.wrapped_key)


def document_ids(session: Session) -> frozenset[str]:
    """Every document that a row knows: what `Archive.sweep` must keep."""
    query = select(ReportRow.document_id).where(col(ReportRow.wrapped_key).is_not(None))
    return frozenset(document_id for document_id in session.exec(query) if document_id is not None)


def forget_document(session: Session, report_id: int, *, actor: str, now: datetime) -> str | None:
    """Delete the key of a report's document, which nobody can read any more then; values and audit stay.

    Returns:
        The document id, for `Archive.forget` after the commit; None if there was no document.
    """
    row = report_row(session, report_id)
    document_id, row.document_id, row.wrapped_key = row.document_id, None, None
    session.add(row)
    if document_id is not None:
        _audit(session, row, "report.document-forgotten", actor=actor, now=now)
    return document_id


def needing_attention(session: Session, *, site: str | None = None) -> list[StoredReport]:
    """Reports that a person must look at as a whole, because no record of theirs shows what is wrong; oldest first."""
    query = select(ReportRow).where(col(ReportRow.attention).is_(True))
    if site is not None:
        query = query.where(col(ReportRow.site) == site)
    return [stored_report(row) for row in session.exec(query.order_by(col(ReportRow.id)))]


def settle(session: Session, report_id: int, *, actor: str, note: str, now: datetime) -> StoredReport:
    """A person has looked at the report.

    Raises:
        DecisionRefusedError: Nobody needed to, or somebody else has.
    """
    row = report_row(session, report_id)
    if not row.attention:
        raise DecisionRefusedError(f"Report {report_id} waits for nobody.", next_step="Reload the list.")
    row.attention, row.settled_by, row.settled_at, row.settled_note = False, actor, now, encodable(note)
    session.add(row)
    notices.resolve(session, UNKNOWN_LAYOUT, f"report {row.id}", now=now)
    _audit(session, row, "report.settled", actor=actor, now=now)
    return stored_report(row)


def _repeat(row: ReportRow, owner: StoredReport) -> None:
    row.state, row.duplicate_of = ReportState.DUPLICATE, owner.report_id
    row.reasons = codes_text(("duplicate-file",))


def report_row(session: Session, report_id: int) -> ReportRow:
    """The row of a report, for changing it.

    Raises:
        StoreError: There is none with this id.
    """
    row = session.get(ReportRow, report_id)
    if row is None:
        raise StoreError(f"There is no report {report_id}.", next_step="Reload the list.")
    return row


def stored_report(row: ReportRow) -> StoredReport:
    """The frozen value of a row."""
    return StoredReport(
        report_id=stored_id(row.id),
        site=row.site,
        source=row.source,
        file_name=row.file_name,
        path=row.path,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        seen_at=row.seen_at,
        state=ReportState(row.state),
        template=row.template,
        pages=row.pages,
        no_score=row.no_score,
        printed=row.printed,
        reasons=codes_of(row.reasons),
        findings=findings_of(row.findings),
        attempts=row.attempts,
        document_id=row.document_id,
        duplicate_of=row.duplicate_of,
        day=row.day,
        attention=row.attention,
    )


def _leave_notice(session: Session, row: ReportRow, reason: str, *, now: datetime) -> None:
    told = f"A file of {row.site} is in quarantine: {sentence(reason)}"
    notices.leave(session, "file-quarantined", f"report {row.id}", told, now=now)


def _audit(
    session: Session,
    row: ReportRow,
    action: str,
    *,
    actor: str,
    now: datetime,
    detail: tuple[tuple[str, str], ...] = (),
) -> None:
    event = AuditEvent(actor=actor, action=action, object_kind="report", object_id=str(row.id), detail=detail)
    audit.append(session, event, now=now)
