"""The records of a day, one by one, without what is printed in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from sqlmodel import Session, col, select

from store import balance
from store.context import stored_id
from store.places import Place, places_by_record
from store.serialised import codes_of
from store.tables import CaseRow, RecordRow, SubmissionRow


class Kind(StrEnum):
    """Which records: all of them, or those of one figure of the day."""

    RECORDS = "records"
    AUTOMATIC = "automatic"
    REVIEWED = "reviewed"
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


_UNDECIDED: Final = (Place.REVIEW, Place.DEAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRecord:
    """One record of a day.

    Attributes:
        position: Place in its report, from 0.
        by_person: A person has decided about it, or is to.
        case_id: Its case, open or closed, or None.
        reasons: Why it waits or was refused, as codes; empty until `with_reasons`.
    """

    record_id: int
    report_id: int
    position: int
    site: str
    place: Place
    by_person: bool
    case_id: int | None
    reasons: tuple[str, ...] = ()


def records(session: Session, *, site: str, day: date, kind: Kind) -> list[ListedRecord]:
    """The records of one kind, as they were read."""
    ours = balance.records_of_day(site, day)
    places = places_by_record(session, ours)
    query = (
        select(RecordRow.id, RecordRow.report_id, RecordRow.confirmed_by, CaseRow.id)
        .outerjoin(CaseRow, col(CaseRow.record_id) == col(RecordRow.id))
        .where(ours)
        .order_by(col(RecordRow.id))
    )
    found = [
        ListedRecord(
            record_id=stored_id(number),
            report_id=report_id,
            position=0,
            site=site,
            place=places[stored_id(number)],
            by_person=case_id is not None or confirmed_by not in (None, "service"),
            case_id=case_id,
        )
        for number, report_id, confirmed_by, case_id in session.exec(query)
    ]
    return [one for one in found if _is(one, kind)]


def with_reasons(session: Session, listed: Sequence[ListedRecord]) -> list[ListedRecord]:
    """The same with the place in the report, and why each of them waits or was refused."""
    numbers = [one.record_id for one in listed]
    query = select(RecordRow.id, RecordRow.position, RecordRow.reasons).where(col(RecordRow.id).in_(numbers))
    read = {number: (position, codes_of(reasons)) for number, position, reasons in session.exec(query)}
    refused = select(SubmissionRow.record_id, SubmissionRow.reason).where(
        col(SubmissionRow.record_id).in_([one.record_id for one in listed if one.place in (Place.DEAD, Place.HELD)]),
        col(SubmissionRow.state).in_(("dead", "held")),
    )
    portal = {record_id: reason for record_id, reason in session.exec(refused) if reason}
    return [_told(one, *read[one.record_id], refusal=portal.get(one.record_id)) for one in listed]


def _told(one: ListedRecord, position: int, reasons: tuple[str, ...], *, refusal: str | None) -> ListedRecord:
    if one.place is Place.REVIEW:
        return replace(one, position=position, reasons=reasons)
    return replace(one, position=position, reasons=() if refusal is None else (refusal,))


def _is(one: ListedRecord, kind: Kind) -> bool:
    match kind:
        case Kind.RECORDS:
            return True
        case Kind.WAITING:
            return one.place is Place.REVIEW
        case Kind.FAILED:
            return one.place is Place.DEAD
        case Kind.DELIVERED:
            return one.place is Place.SENT
        case Kind.AUTOMATIC:
            return one.place not in _UNDECIDED and not one.by_person
        case Kind.REVIEWED:
            return one.place not in _UNDECIDED and one.by_person
