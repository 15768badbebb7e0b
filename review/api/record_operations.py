"""Records: what is kept of each printed row, and what can be done once it was confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from fastapi import Request

from records.decision import MatchGrade
from records.errors import DecisionRefusedError
from records.submission import DeliveryState, ResultStatus
from review import amendments, policies
from review.amendments import AfterWithdrawal
from review.api.routing import ApiRoute
from review.api.shapes import (
    After,
    Caller,
    Id,
    Limit,
    Part,
    Reason,
    ReasonShown,
    Shape,
    Text,
    Values,
    Version,
    Wish,
    Word,
    part,
    reasons_of,
    values_of,
)
from review.office import Office, office_of
from review.viewing import note_view
from store import amendments as kept_amendments
from store import kept_records, listings, outbox, reports
from store.amendments import AmendmentKind
from store.cases import ApprovedAs
from store.database import Session
from store.kept_records import RecordState, StoredRecord
from store.outbox_entries import OutboxEntry
from store.undoing import Undone


class ListedRecord(Shape):
    """A record without whom and what it is about."""

    record_id: int
    report_id: int
    site: str
    day: date
    position: int
    state: RecordState
    external_id: str | None
    occurrence: int
    revision: int
    duplicate_of: int | None
    corrects: int | None
    confirmed_by: str | None
    confirmed_at: datetime | None


class MatchShown(Shape):
    """Which patient the program took the print for."""

    grade: MatchGrade
    patient_id: str | None
    probability: float
    runner_up: float
    reasons: tuple[str, ...]


class ReceiptShown(Shape):
    """A portal's word that it has the value."""

    remote_id: str
    version: str | None
    http_status: int
    received_at: datetime
    found: bool


class SubmissionShown(Shape):
    """One message to one portal."""

    submission_id: int
    record_id: int
    site: str
    destination: str
    status: ResultStatus
    revision: int
    state: DeliveryState
    reason: str | None
    attempts: int
    created_at: datetime
    due_at: datetime
    receipt: ReceiptShown | None


class AmendmentShown(Shape):
    """What a person changed after the confirmation."""

    kind: AmendmentKind
    at: datetime
    actor: str
    reason: str
    patient_id: str
    to_patient_id: str | None


class RecordShown(ListedRecord):
    """A record with where each value came from and where it went."""

    version: int
    """To be named by whoever changes it."""
    document_sha256: str
    file_name: str
    template: str | None
    patient_id: str | None
    values: Values
    as_read: Values
    """As read from the print; never changed."""
    match: MatchShown
    reasons: tuple[ReasonShown, ...]
    submissions: tuple[SubmissionShown, ...]
    amendments: tuple[AmendmentShown, ...]


class RecordCorrection(Wish):
    """Other values for a confirmed record, which every portal is told."""

    version: Version
    changes: dict[Word, Text]


class Move(Wish):
    """The right patient of a record that went to the wrong one."""

    version: Version
    patient_id: Word
    reason: Reason
    approved_as: ApprovedAs = ApprovedAs.CONFIRMATION


class Reassignment(Wish):
    """Another day, time or questionnaire."""

    version: Version
    changes: dict[Word, Text]
    reason: Reason
    approved_as: ApprovedAs = ApprovedAs.CONFIRMATION


class Withdrawal(Wish):
    """Why a record is taken back, and what becomes of it."""

    version: Version
    reason: Reason
    reopen: bool
    """It returns to the review queue; otherwise it is closed for good."""
    wrong_patient: bool = False
    """Its patient is ruled out for this print; only together with `reopen`."""


class Undoing(Wish):
    """Which version's last decision is taken back."""

    version: Version


class AmendedShown(Shape):
    """What became of the record."""

    record_id: int
    state: RecordState
    told: int
    """Submissions that are on their way with other values, or that take the old ones back."""
    duplicate_of: int | None


class UndoneShown(Shape):
    """Which decision was taken back."""

    record_id: int
    undone: Undone


def list_records(
    request: Request,
    caller: Caller,
    state: RecordState | None = None,
    day: date | None = None,
    report: Id | None = None,
    after: After = 0,
    limit: Limit = 50,
) -> Part[ListedRecord]:
    """Records by their id, without whom and what they are about."""
    with office_of(request).database.reading() as session:
        found = listings.records_after(
            session, sites=caller.user.sites, after=after, limit=limit + 1, state=state, report_id=report, day=day
        )
    return part((ListedRecord.model_validate(one) for one in found), key="record_id", limit=limit)


def get_record(request: Request, record_id: int, caller: Caller) -> RecordShown:
    """One record from the file it was printed in to what each portal said. The look is kept in the audit trail."""
    office = office_of(request)
    with office.database.session() as session:
        shown = _shown(session, kept_records.get(session, record_id))
        note_view(session, caller, "record.viewed", "record", str(record_id), now=office.now())
    return shown


def correct_record(request: Request, record_id: int, caller: Caller, wish: RecordCorrection) -> AmendedShown:
    """Give a confirmed record other values because they were read wrongly, and correct them at the portals."""
    asked = _asked(request, record_id, caller)
    done = amendments.correct(
        asked.office.database,
        record_id,
        version=wish.version,
        changes=wish.changes,
        actor=asked.actor,
        now=asked.office.now(),
        today=asked.today,
        destinations=asked.destinations,
    )
    return AmendedShown.model_validate(done)


def move_record(request: Request, record_id: int, caller: Caller, wish: Move) -> AmendedShown:
    """Give a record that went to the wrong patient to the right one: withdrawn first, then delivered."""
    asked = _asked(request, record_id, caller)
    done = amendments.move(
        asked.office.database,
        record_id,
        version=wish.version,
        patient_id=wish.patient_id,
        reason=wish.reason,
        actor=asked.actor,
        now=asked.office.now(),
        today=asked.today,
        destinations=asked.destinations,
        as_=wish.approved_as,
    )
    return AmendedShown.model_validate(done)


def reassign_record(request: Request, record_id: int, caller: Caller, wish: Reassignment) -> AmendedShown:
    """Give a confirmed record another day, time or questionnaire."""
    asked = _asked(request, record_id, caller)
    done = amendments.reassign(
        asked.office.database,
        record_id,
        version=wish.version,
        changes=wish.changes,
        reason=wish.reason,
        actor=asked.actor,
        now=asked.office.now(),
        today=asked.today,
        destinations=asked.destinations,
        as_=wish.approved_as,
    )
    return AmendedShown.model_validate(done)


def withdraw_record(request: Request, record_id: int, caller: Caller, wish: Withdrawal) -> AmendedShown:
    """Take a confirmed record back from every portal that has it or may have it."""
    if wish.wrong_patient and not wish.reopen:
        raise DecisionRefusedError(
            "A patient is ruled out for a record that is decided again.",
            next_step="Nothing was changed. Send “reopen” with “wrong_patient”.",
        )
    asked = _asked(request, record_id, caller)
    done = amendments.withdraw(
        asked.office.database,
        record_id,
        version=wish.version,
        reason=wish.reason,
        after=AfterWithdrawal(reopen=wish.reopen, wrong_patient=wish.wrong_patient),
        actor=asked.actor,
        now=asked.office.now(),
    )
    return AmendedShown.model_validate(done)


def undo_record(request: Request, record_id: int, caller: Caller, wish: Undoing) -> UndoneShown:
    """Take the last decision about a record back before any portal has heard of it."""
    asked = _asked(request, record_id, caller)
    undone = amendments.undo(
        asked.office.database, record_id, version=wish.version, actor=asked.actor, now=asked.office.now()
    )
    return UndoneShown(record_id=record_id, undone=undone)


def submission_shown(entry: OutboxEntry) -> SubmissionShown:
    """A message to a portal, without its content."""
    sent = entry.submission
    return SubmissionShown(
        submission_id=sent.submission_id,
        record_id=sent.record_id,
        site=entry.site,
        destination=sent.destination,
        status=sent.status,
        revision=sent.revision,
        state=entry.state,
        reason=entry.reason,
        attempts=sent.attempts,
        created_at=entry.created_at,
        due_at=entry.due_at,
        receipt=None if entry.receipt is None else ReceiptShown.model_validate(entry.receipt),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a change of a record needs besides what the caller sent."""

    office: Office
    actor: str
    today: date
    destinations: tuple[str, ...]


def _asked(request: Request, record_id: int, caller: Caller) -> _Asked:
    office = office_of(request)
    with office.database.reading() as session:
        site = kept_records.get(session, record_id).site
    return _Asked(
        office=office, actor=caller.user.name, today=office.today(site), destinations=office.destinations_of(site)
    )


def _shown(session: Session, kept: StoredRecord) -> RecordShown:
    report = reports.get(session, kept.report_id)
    sent = outbox.list_submissions(session, record_id=kept.record_id)
    changed = kept_amendments.of_record(session, kept.record_id)
    listed = {name: getattr(kept, name) for name in ListedRecord.model_fields}
    return RecordShown.model_validate(
        listed
        | {
            "version": kept_amendments.version_of(session, kept.record_id),
            "document_sha256": report.sha256,
            "file_name": report.file_name,
            "template": report.template,
            "patient_id": kept.patient_id,
            "values": values_of(kept.assessment),
            "as_read": values_of(kept.as_read),
            "match": MatchShown.model_validate(kept.match),
            "reasons": reasons_of(kept.reasons),
            "submissions": [submission_shown(entry) for entry in sent],
            "amendments": [AmendmentShown.model_validate(one) for one in changed],
        }
    )


ROUTES: Final = (
    ApiRoute("GET", "/records", list_records, policies.READS_PATIENTS),
    ApiRoute("GET", "/records/{record_id}", get_record, policies.READS_PATIENTS),
    ApiRoute("POST", "/records/{record_id}/correct", correct_record, policies.DECIDES, changes=True),
    ApiRoute("POST", "/records/{record_id}/move", move_record, policies.DECIDES, changes=True),
    ApiRoute("POST", "/records/{record_id}/reassign", reassign_record, policies.DECIDES, changes=True),
    ApiRoute("POST", "/records/{record_id}/withdraw", withdraw_record, policies.DECIDES, changes=True),
    ApiRoute("POST", "/records/{record_id}/undo", undo_record, policies.DECIDES, changes=True),
)
