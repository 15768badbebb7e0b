"""The sum that must add up: printed = sent + waiting + rejected + duplicate, counted from the rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from records.balance import Balance
from store.day_tables import BalanceCheckRow
from store.places import WAITING, Place, Spot, spots
from store.tables import RecordRow, ReportRow

_THE_CHECK: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceCheck:
    """The last look at all reports.

    Attributes:
        reports: How many there were.
        wrong: Ids of those whose records are not as many as were printed; always empty, or data was lost.
    """

    checked_at: datetime
    reports: int
    wrong: tuple[int, ...]


def of_report(session: Session, report_id: int) -> Balance:
    """Where the records of one report are."""
    report = col(ReportRow.id) == report_id
    return _balance(session, col(RecordRow.report_id) == report_id, report)


def of_day(session: Session, *, site: str, day: date) -> Balance:
    """Where the records of a site's local day are."""
    report = (col(ReportRow.site) == site) & (col(ReportRow.day) == day)
    return _balance(session, records_of_day(site, day), report)


def split_of_day(session: Session, *, site: str, day: date) -> dict[str, int]:
    """What "waiting" of a day is made of: review, pending, sending, held, unknown, dead, shadow; all are listed."""
    return split_of(spots(session, records_of_day(site, day)))


def records_of_day(site: str, day: date) -> ColumnElement[bool]:
    """The condition on the rows of a site's day."""
    return (col(RecordRow.site) == site) & (col(RecordRow.day) == day)


def balance_of(found: Mapping[Spot, int], *, no_score: int) -> Balance:
    """The balance of counted records."""
    places = _places(found)
    return Balance(
        sent=places[Place.SENT],
        waiting=sum(places[place] for place in WAITING),
        rejected=places[Place.REJECTED],
        duplicate=places[Place.DUPLICATE],
        no_score=no_score,
    )


def split_of(found: Mapping[Spot, int]) -> dict[str, int]:
    """What "waiting" of counted records is made of; all kinds are listed."""
    places = _places(found)
    return {place.value: places[place] for place in WAITING}


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


def look_at_all(session: Session) -> tuple[list[int], int]:
    """`mismatches`, and how many reports there are."""
    return mismatches(session), session.exec(select(func.count()).select_from(ReportRow)).one()


def keep_check(session: Session, *, wrong: list[int], reports: int, now: datetime) -> None:
    """Keep what a look at all reports has found, in place of the look before."""
    row = session.get(BalanceCheckRow, _THE_CHECK) or BalanceCheckRow(
        id=_THE_CHECK, checked_at=now, reports=0, wrong=""
    )
    row.checked_at, row.reports, row.wrong = now, reports, json.dumps(wrong)
    session.add(row)
    session.flush()


def last_check(session: Session, *, sites: Collection[str] | None = None) -> BalanceCheck | None:
    """The last look at all reports, or None before the first; with `sites`, only wrong reports of these are told."""
    row = session.get(BalanceCheckRow, _THE_CHECK)
    if row is None:
        return None
    wrong = tuple(json.loads(row.wrong))
    if wrong and sites is not None:
        ours = select(ReportRow.id).where(col(ReportRow.id).in_(wrong), col(ReportRow.site).in_(sites))
        wrong = tuple(sorted(number for number in session.exec(ours) if number is not None))
    return BalanceCheck(checked_at=row.checked_at, reports=row.reports, wrong=wrong)


def _balance(session: Session, records: ColumnElement[bool], reports: ColumnElement[bool]) -> Balance:
    no_score = session.exec(select(func.coalesce(func.sum(col(ReportRow.no_score)), 0)).where(reports)).one()
    return balance_of(spots(session, records), no_score=no_score)


def _places(found: Mapping[Spot, int]) -> Counter[Place]:
    places: Counter[Place] = Counter()
    for spot, number in found.items():
        places[spot.place] += number
    return places
