"""Where records are, counted from the rows: every sum of the program is a sum of these counts.

A record is sent when the latest word of every destination it goes to is a delivery. A confirmed record that goes
nowhere, or is held because its destination is in shadow, waits as "shadow". One that was taken back is rejected (or a
duplicate, where it repeats what its right patient has) as soon as every portal has been told.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Final, NamedTuple

import sqlalchemy
from sqlalchemy import ColumnElement, Subquery, case, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from records.submission import DeliveryState
from store.context import stored_id
from store.kept_records import RecordState
from store.tables import CaseRow, RecordRow, SubmissionRow


class Place(StrEnum):
    """Where one record is; in exactly one place."""

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


WAITING: Final = (
    Place.REVIEW,
    Place.PENDING,
    Place.SENDING,
    Place.HELD,
    Place.UNKNOWN,
    Place.DEAD,
    Place.SHADOW,
)
"""Places that are no record's end."""

# The worst destination speaks for the record.
_TAKEN_BACK: Final = -1
_DELIVERED: Final = 0
_BY_RANK: Final = {
    1: Place.SHADOW,
    2: Place.PENDING,
    3: Place.SENDING,
    4: Place.HELD,
    5: Place.UNKNOWN,
    6: Place.DEAD,
}


_EVER: Final = select(SubmissionRow.id).where(col(SubmissionRow.record_id) == col(RecordRow.id)).exists()


class Spot(NamedTuple):
    """What one record counts as.

    Attributes:
        report_id: The report it is printed in.
        by_person: A person has decided about it, or is to.
    """

    report_id: int
    place: Place
    by_person: bool


def spots(session: Session, records: ColumnElement[bool]) -> Counter[Spot]:
    """How many of the chosen records there are of each kind.

    Args:
        records: Which ones, as a condition on their rows.
    """
    worst = _worst(records)
    by_person = or_(col(CaseRow.id).is_not(None), col(RecordRow.confirmed_by) != "service")
    query = (
        sqlalchemy.select(col(RecordRow.report_id), col(RecordRow.state), worst.c.rank, _EVER, by_person, func.count())
        .select_from(RecordRow)
        .outerjoin(worst, worst.c.record_id == col(RecordRow.id))
        .outerjoin(CaseRow, col(CaseRow.record_id) == col(RecordRow.id))
        .where(records)
        .group_by(col(RecordRow.report_id), col(RecordRow.state), worst.c.rank, _EVER, by_person)
    )
    session.flush()  # statements of the connection do not
    found: Counter[Spot] = Counter()
    for report_id, state, rank, queued, decided, number in session.connection().execute(query):
        place = place_of(RecordState(state), rank, was_queued=bool(queued))
        found[Spot(report_id, place, bool(decided))] += number
    return found


def places_by_record(session: Session, records: ColumnElement[bool]) -> dict[int, Place]:
    """The place of each of the chosen records, by its id."""
    worst = _worst(records)
    query = (
        select(RecordRow.id, RecordRow.state, worst.c.rank, _EVER)
        .select_from(RecordRow)
        .outerjoin(worst, worst.c.record_id == col(RecordRow.id))
        .where(records)
    )
    return {
        stored_id(number): place_of(RecordState(state), rank, was_queued=bool(queued))
        for number, state, rank, queued in session.exec(query)
    }


def place_of(state: RecordState, rank: int | None, *, was_queued: bool) -> Place:
    """The place of a record in one state whose worst destination has this rank; None where nothing is queued."""
    if state is RecordState.REVIEW:
        return Place.REVIEW
    if rank is not None and rank > _DELIVERED:
        return _BY_RANK[rank]
    match state:
        case RecordState.REJECTED | RecordState.WITHDRAWN:
            return Place.REJECTED
        case RecordState.DUPLICATE:
            return Place.DUPLICATE
    if rank == _DELIVERED:
        return Place.SENT
    # Every message was taken back by a person, or there is no destination (yet).
    return Place.REJECTED if was_queued else Place.SHADOW


def _worst(records: ColumnElement[bool]) -> Subquery:
    """Of each record and destination the last message that was not taken back; of those, the worst."""
    later = aliased(SubmissionRow)
    overtaken = (
        select(later.id)
        .where(
            col(later.record_id) == col(SubmissionRow.record_id),
            col(later.destination) == col(SubmissionRow.destination),
            col(later.id) > col(SubmissionRow.id),
            col(later.state) != DeliveryState.CANCELLED,
        )
        .exists()
    )
    return (
        select(col(SubmissionRow.record_id).label("record_id"), func.max(_rank()).label("rank"))
        .join(RecordRow, col(RecordRow.id) == col(SubmissionRow.record_id))
        .where(records, col(SubmissionRow.state) != DeliveryState.CANCELLED, ~overtaken)
        .group_by(col(SubmissionRow.record_id))
        .subquery()
    )


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
