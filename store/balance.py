"""The sum that must add up, counted from the rows.

A record is sent when the latest word of every destination it goes to is a delivery. A confirmed record that goes
nowhere, or is held because its destination is in shadow, waits as "shadow". One that was taken back is rejected (or a
duplicate, where it repeats what its right patient has) as soon as every portal has been told.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, case, func
from sqlmodel import Session, col, select

from records.balance import Balance
from records.submission import DeliveryState
from store.kept_records import RecordState
from store.tables import RecordRow, ReportRow, SubmissionRow


class _Place(StrEnum):
    SENT = "sent"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    REVIEW = "review"
    PENDING = "pending"
    SENDING = "sending"
    HELD = "held"
    UNKNOWN = "unknown"
    DEAD = "dead"
    SHADOW = "shadow"


_WAITING: Final = (
    _Place.REVIEW,
    _Place.PENDING,
    _Place.SENDING,
    _Place.HELD,
    _Place.UNKNOWN,
    _Place.DEAD,
    _Place.SHADOW,
)

# The worst destination speaks for the record.
_TAKEN_BACK: Final = -1
_DELIVERED: Final = 0
_BY_RANK: Final = {
    1: _Place.SHADOW,
    2: _Place.PENDING,
    3: _Place.SENDING,
    4: _Place.HELD,
    5: _Place.UNKNOWN,
    6: _Place.DEAD,
}


def of_report(session: Session, report_id: int) -> Balance:
    """Where the records of one report are."""
    report = col(ReportRow.id) == report_id
    return _balance(session, col(RecordRow.report_id) == report_id, report)


def of_day(session: Session, *, site: str, day: date) -> Balance:
    """Where the records of a site's local day are."""
    report = (col(ReportRow.site) == site) & (col(ReportRow.day) == day)
    return _balance(session, (col(RecordRow.site) == site) & (col(RecordRow.day) == day), report)


def split_of_day(session: Session, *, site: str, day: date) -> dict[str, int]:
    """What "waiting" of a day is made of: review, pending, sending, held, unknown, dead, shadow; all are listed."""
    places = _places(session, (col(RecordRow.site) == site) & (col(RecordRow.day) == day))
    return {place.value: places[place] for place in _WAITING}


def mismatches(session: Session) -> list[int]:
    """Ids of handed-over reports whose records are not as many as were printed: always empty, or data was lost."""
    query = (
        select(ReportRow.id)
        .outerjoin(RecordRow, col(RecordRow.report_id) == col(ReportRow.id))
        .group_by(col(ReportRow.id))
        .having(func.count(col(RecordRow.id)) != col(ReportRow.printed))
        .order_by(col(ReportRow.id))
    )
    return [report_id for report_id in session.exec(query) if report_id is not None]


def _balance(session: Session, records: ColumnElement[bool], reports: ColumnElement[bool]) -> Balance:
    places = _places(session, records)
    no_score = session.exec(select(func.coalesce(func.sum(col(ReportRow.no_score)), 0)).where(reports)).one()
    return Balance(
        sent=places[_Place.SENT],
        waiting=sum(places[place] for place in _WAITING),
        rejected=places[_Place.REJECTED],
        duplicate=places[_Place.DUPLICATE],
        no_score=no_score,
    )


def _places(session: Session, records: ColumnElement[bool]) -> Counter[_Place]:
    # Of each record and destination the last message that was not taken back; of those, the worst.
    latest = (
        select(func.max(col(SubmissionRow.id)))
        .join(RecordRow, col(RecordRow.id) == col(SubmissionRow.record_id))
        .where(records, col(SubmissionRow.state) != DeliveryState.CANCELLED)
        .group_by(col(SubmissionRow.record_id), col(SubmissionRow.destination))
    )
    worst = (
        select(col(SubmissionRow.record_id).label("record_id"), func.max(_rank()).label("rank"))
        .where(col(SubmissionRow.id).in_(latest))
        .group_by(col(SubmissionRow.record_id))
        .subquery()
    )
    ever = select(SubmissionRow.id).where(col(SubmissionRow.record_id) == col(RecordRow.id)).exists()
    query = (
        select(col(RecordRow.state), worst.c.rank, ever, func.count())
        .outerjoin(worst, worst.c.record_id == col(RecordRow.id))
        .where(records)
        .group_by(col(RecordRow.state), worst.c.rank, ever)
    )
    places: Counter[_Place] = Counter()
    for state, rank, queued, number in session.exec(query):
        places[_place(RecordState(state), rank, was_queued=bool(queued))] += number
    return places


def _rank() -> ColumnElement[int]:
    state = col(SubmissionRow.state)
    return case(
        ((state == DeliveryState.DELIVERED) & (col(SubmissionRow.status) == "entered-in-error"), _TAKEN_BACK),
        (state == DeliveryState.DELIVERED, _DELIVERED),
        ((state == DeliveryState.HELD) & (col(SubmissionRow.reason) == "shadow"), 1),
        (state == DeliveryState.PENDING, 2),
        (state == DeliveryState.SENDING, 3),
        (state == DeliveryState.HELD, 4),
        (state == DeliveryState.UNKNOWN, 5),
        else_=6,
    )


def _place(state: RecordState, rank: int | None, *, was_queued: bool) -> _Place:
    if state is RecordState.REVIEW:
        return _Place.REVIEW
    if rank is not None and rank > _DELIVERED:
        return _BY_RANK[rank]
    match state:
        case RecordState.REJECTED | RecordState.WITHDRAWN:
            return _Place.REJECTED
        case RecordState.DUPLICATE:
            return _Place.DUPLICATE
    if rank == _DELIVERED:
        return _Place.SENT
    # Every message was taken back by a person, or there is no destination (yet).
    return _Place.REJECTED if was_queued else _Place.SHADOW
