"""Take the last decision about a record back while no portal can have heard of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from records.errors import DecisionRefusedError
from records.submission import DeliveryState, ResultStatus
from store import alias_doubts, amendments, automatic_matches, known
from store.amendment_tables import AmendmentRow
from store.amendments import AmendmentKind
from store.context import keys_of, stored_id
from store.corrections import audit_record, confirmed_row, reopen_record
from store.kept_records import record_row
from store.outbox_entries import submission_row
from store.queueing import enqueue_at, may_be_there, never_left, of_assessment
from store.serialised import assessment_of
from store.tables import RecordRow, SubmissionRow


class Undone(StrEnum):
    """Which decision was taken back."""

    CONFIRMATION = "confirmation"  # the record waits for review again
    CORRECTION = "correction"  # its earlier values stand again


def undo(session: Session, record_id: int, *, actor: str, now: datetime) -> Undone:
    """Cancel what the last decision about a record was about to tell, and take the decision back.

    Raises:
        DecisionRefusedError: The record is not confirmed, or a portal has been told, or may have been.
    """
    row = confirmed_row(session, record_id)
    correction = amendments.last_open(session, record_id)
    told = _told_since_confirmed(session, row) if correction is None else _told_by(session, correction)
    if any(may_be_there(one) for one in told):
        raise DecisionRefusedError(
            "A portal is being told of this already, or may have been.",
            next_step="Nothing was changed. Withdraw the record, or correct it again.",
        )
    undone = Undone.CONFIRMATION if correction is None else Undone.CORRECTION
    amendments.keep(session, row, AmendmentKind.UNDONE, reason=undone, actor=actor, now=now)
    corrected_at = _cancel(session, told)
    stands: RecordRow | None = row
    if correction is None:
        stands = None if row.corrects is None else record_row(session, row.corrects)
        _take_confirmation_back(session, row, actor=actor, now=now)
    else:
        _take_correction_back(session, row, correction)
    if stands is not None:
        _tell_again(session, stands, corrected_at, now=now)
    audit_record(session, row, "record.undone", actor=actor, now=now, detail=(("decision", undone),))
    return undone


def _told_since_confirmed(session: Session, row: RecordRow) -> list[SubmissionRow]:
    """The messages of the present confirmation: those after the last withdrawal at each place."""
    told: dict[str, list[SubmissionRow]] = {}
    for one in of_assessment(session, row.external_id or ""):
        if one.status == ResultStatus.ENTERED_IN_ERROR and one.state != DeliveryState.CANCELLED:
            told[one.destination] = []
        elif one.record_id == row.id:
            told.setdefault(one.destination, []).append(one)
    return [one for place in told.values() for one in place]


def _told_by(session: Session, correction: AmendmentRow) -> list[SubmissionRow]:
    return [submission_row(session, number) for number in amendments.queued_by(correction)]


def _cancel(session: Session, rows: Iterable[SubmissionRow]) -> list[str]:
    """Cancel them; the destinations that were to be told another value than they have, or were about to get."""
    corrected_at = []
    for one in rows:
        if never_left(one):
            one.state, one.reason = DeliveryState.CANCELLED, "undone"
            session.add(one)
            corrected_at += [one.destination] if one.status == ResultStatus.CORRECTED else []
    session.flush()
    return corrected_at


def _tell_again(session: Session, row: RecordRow, places: Iterable[str], *, now: datetime) -> None:
    """Queue the value that stands again where its own message was given up for the sake of the correction."""
    related = of_assessment(session, row.external_id or "")
    last = {one.destination: one for one in related if one.state != DeliveryState.CANCELLED}
    bare = [one for one in places if one not in last or last[one].status == ResultStatus.ENTERED_IN_ERROR]
    enqueue_at(session, row, bare, now=now)


def _take_confirmation_back(session: Session, row: RecordRow, *, actor: str, now: datetime) -> None:
    number = stored_id(row.id)
    if row.corrects is not None:
        corrected = record_row(session, row.corrects)
        corrected.superseded_by = None
        session.add(corrected)
    automatic_matches.taken_back(session, (number,), now=now)
    alias_doubts.revoke_taught_by(session, number, actor=actor, now=now)
    reopen_record(session, row, because="taken-back", note="", now=now)


def _take_correction_back(session: Session, row: RecordRow, correction: AmendmentRow) -> None:
    row.assessment, row.revision = correction.before, row.revision - 1
    row.values_digest = known.values_digest(keys_of(session), assessment_of(correction.before))
    row.confirmed_by, row.confirmed_at = correction.before_by, correction.before_at
    correction.open = False
    session.add(row)
    session.add(correction)
    session.flush()
