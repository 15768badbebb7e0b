"""What people ask of the service from the pages, each a row with its outcome: scan a folder now, take a file, …

A page never waits for the work. The service does it and writes what became of it into the row; it may do it twice if it
was killed in between, so whoever does a kind of work makes sure that the second time changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sqlmodel import Session, col, or_, select

from records.audit import AuditEvent
from records.errors import StoreError
from store import audit
from store.archive import ArchivedDocument
from store.context import stored_id
from store.handover import SERVICE
from store.serialised import encodable
from store.work_tables import WorkRequestRow

MOST_ATTEMPTS: Final = 3
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class WorkKind(StrEnum):
    """What can be asked. The subject is a source, a destination, a site, a template or the alert channels."""

    SCAN_SOURCE = "scan-source"
    TAKE_REPORT = "take-report"
    PROBE_DESTINATION = "probe-destination"
    PREVIEW_ROSTER = "preview-roster"
    IMPORT_ROSTER = "import-roster"
    CHECK_TEMPLATE = "check-template"
    PUBLISH_TEMPLATE = "publish-template"
    ROLL_BACK_TEMPLATE = "roll-back-template"
    TEST_ALERT = "test-alert"


class WorkState(StrEnum):
    """How far a request is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


AT_ITS_END: Final = (WorkState.DONE, WorkState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRequest:
    """One thing that somebody asked of the service.

    Attributes:
        subject: What it is about, without patient data.
        site: Whose it is, or None for what belongs to no site.
        arguments: Texts by name, without patient data.
        file_name: Of the file that came with it, or None; it may name a patient.
        document: Id and wrapped key of that file in the archive, or None; gone once the request is at its end.
        outcome: What became of it in a sentence without patient data; "" before that.
        found: Figures and texts by name, without patient data.
    """

    request_id: int
    kind: WorkKind
    subject: str
    site: str | None
    arguments: Mapping[str, str]
    file_name: str | None
    document: tuple[str, bytes] | None
    asked_by: str
    asked_at: datetime
    state: WorkState
    attempts: int
    begun_at: datetime | None
    ended_at: datetime | None
    outcome: str
    found: Mapping[str, str]

    @property
    def is_at_its_end(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state in AT_ITS_END


def ask(
    session: Session,
    kind: WorkKind,
    subject: str,
    *,
    actor: str,
    now: datetime,
    site: str | None = None,
    arguments: Mapping[str, str] = _NOTHING,
    document: ArchivedDocument | None = None,
    file_name: str | None = None,
) -> WorkRequest:
    """Ask for something; the same that already waits, and came without a file, is not asked for twice."""
    text = _text(arguments)
    row = None if document is not None else _waiting_row(session, kind, subject, text)
    if row is None:
        row = WorkRequestRow(
            kind=kind,
            subject=subject,
            site=site,
            arguments=text,
            file_name=None if file_name is None else encodable(file_name),
            document_id=document.document_id if document else None,
            wrapped_key=document.wrapped_key if document else None,
            asked_by=actor,
            asked_at=now,
            state=WorkState.WAITING,
        )
        session.add(row)
        session.flush()
        _audit(session, row, "work.asked", actor=actor, now=now)
    return _request(row)


def claim_next(session: Session, *, now: datetime) -> WorkRequest | None:
    """The oldest request that waits, now running; or None. One that was begun too often fails instead."""
    while True:
        query = select(WorkRequestRow).where(col(WorkRequestRow.state) == WorkState.WAITING)
        row = session.exec(query.order_by(col(WorkRequestRow.id)).limit(1)).first()
        if row is None:
            return None
        if row.attempts < MOST_ATTEMPTS:
            row.state, row.begun_at, row.attempts = WorkState.RUNNING, now, row.attempts + 1
            session.add(row)
            session.flush()
            return _request(row)
        _end(session, row, WorkState.FAILED, "The service was stopped each time while it did this.", _NOTHING, now=now)


def is_any_waiting(session: Session) -> bool:
    """Whether there is anything to do."""
    query = select(WorkRequestRow.id).where(col(WorkRequestRow.state) == WorkState.WAITING)
    return session.exec(query.limit(1)).first() is not None


def finish(
    session: Session,
    request_id: int,
    *,
    went_well: bool,
    outcome: str,
    found: Mapping[str, str] = _NOTHING,
    keeps_document: bool = False,
    now: datetime,
) -> str | None:
    """Write what became of a request. A second time changes nothing.

    Args:
        outcome: A sentence without patient data.
        keeps_document: The file that came with it is needed for what follows.

    Returns:
        The id of the archived file that the request no longer needs, for whoever deletes it; or None.
    """
    row = _row(session, request_id)
    if row.state in AT_ITS_END:
        return None
    document_id = None if keeps_document else row.document_id
    if not keeps_document:
        row.document_id, row.wrapped_key = None, None
    _end(session, row, WorkState.DONE if went_well else WorkState.FAILED, outcome, found, now=now)
    return document_id


def give_back_all(session: Session) -> int:
    """What was running when the service stopped waits again; return how many."""
    rows = session.exec(select(WorkRequestRow).where(col(WorkRequestRow.state) == WorkState.RUNNING)).all()
    for row in rows:
        row.state = WorkState.WAITING
        session.add(row)
    session.flush()
    return len(rows)


def let_go(session: Session, request_id: int) -> str | None:
    """Forget the file that came with a request; returns its id in the archive for whoever deletes it, or None."""
    row = _row(session, request_id)
    document_id = row.document_id
    row.document_id, row.wrapped_key = None, None
    session.add(row)
    session.flush()
    return document_id


def outdated(session: Session, *, before: datetime) -> list[int]:
    """Requests at their end since before a moment that still keep a file."""
    query = select(WorkRequestRow.id).where(
        col(WorkRequestRow.document_id).is_not(None), col(WorkRequestRow.ended_at) < before
    )
    return [stored_id(found) for found in session.exec(query)]


def document_ids(session: Session) -> frozenset[str]:
    """Files in the archive that requests still need: what the sweep of the archive must leave alone."""
    query = select(WorkRequestRow.document_id).where(col(WorkRequestRow.wrapped_key).is_not(None))
    return frozenset(document_id for document_id in session.exec(query) if document_id is not None)


def get(session: Session, request_id: int, *, sites: Collection[str] | None) -> WorkRequest:
    """One request.

    Args:
        sites: Whose requests may be seen; None for all. What belongs to no site is everybody's.

    Raises:
        StoreError: There is none with this id, or it is another site's.
    """
    found = _request(_row(session, request_id))
    if sites is not None and found.site is not None and found.site not in sites:
        raise _unknown(request_id)
    return found


def latest(
    session: Session,
    *,
    sites: Collection[str] | None,
    kinds: Collection[WorkKind] = (),
    subject: str | None = None,
    limit: int = 20,
) -> list[WorkRequest]:
    """The latest requests, newest first.

    Args:
        sites: Whose requests may be seen; None for all. What belongs to no site is everybody's.
        kinds: Only these; empty for all.
        subject: Only about this.
    """
    query = select(WorkRequestRow)
    if sites is not None:
        query = query.where(or_(col(WorkRequestRow.site).is_(None), col(WorkRequestRow.site).in_(list(sites))))
    if kinds:
        query = query.where(col(WorkRequestRow.kind).in_(list(kinds)))
    if subject is not None:
        query = query.where(col(WorkRequestRow.subject) == subject)
    return [_request(row) for row in session.exec(query.order_by(col(WorkRequestRow.id).desc()).limit(limit))]


def _waiting_row(session: Session, kind: WorkKind, subject: str, arguments: str) -> WorkRequestRow | None:
    query = select(WorkRequestRow).where(
        col(WorkRequestRow.kind) == kind,
        col(WorkRequestRow.subject) == subject,
        col(WorkRequestRow.arguments) == arguments,
        col(WorkRequestRow.state) == WorkState.WAITING,
        col(WorkRequestRow.document_id).is_(None),
    )
    return session.exec(query.limit(1)).first()


def _row(session: Session, request_id: int) -> WorkRequestRow:
    row = session.get(WorkRequestRow, request_id)
    if row is None:
        raise _unknown(request_id)
    return row


def without_file(request_id: int) -> StoreError:
    """What is said of a request whose file is gone."""
    return StoreError(f"The file of request {request_id} is no longer kept.", next_step="Upload it again.")


def _unknown(request_id: int) -> StoreError:
    return StoreError(f"There is no request {request_id}.", next_step="Go back to the list.")


def _end(
    session: Session, row: WorkRequestRow, state: WorkState, outcome: str, found: Mapping[str, str], *, now: datetime
) -> None:
    row.state, row.ended_at, row.outcome, row.found = state, now, encodable(outcome), _text(found)
    session.add(row)
    session.flush()
    _audit(session, row, "work.done" if state is WorkState.DONE else "work.failed", actor=SERVICE, now=now)


def _text(values: Mapping[str, str]) -> str:
    return encodable(json.dumps(dict(values), sort_keys=True, ensure_ascii=False))


def _values(text: str) -> Mapping[str, str]:
    return {str(name): str(value) for name, value in json.loads(text).items()}


def _request(row: WorkRequestRow) -> WorkRequest:
    has_document = row.document_id is not None and row.wrapped_key is not None
    return WorkRequest(
        request_id=stored_id(row.id),
        kind=WorkKind(row.kind),
        subject=row.subject,
        site=row.site,
        arguments=_values(row.arguments),
        file_name=row.file_name,
        document=(row.document_id or "", row.wrapped_key or b"") if has_document else None,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        state=WorkState(row.state),
        attempts=row.attempts,
        begun_at=row.begun_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
        found=_values(row.found),
    )


def _audit(session: Session, row: WorkRequestRow, action: str, *, actor: str, now: datetime) -> None:
    detail = (("kind", row.kind), ("subject", row.subject))
    event = AuditEvent(
        actor=actor, action=action, object_kind="work-request", object_id=str(stored_id(row.id)), detail=detail
    )
    audit.append(session, event, now=now)
