"""Which records went out without a person, and on whose earlier word: what the blind audit draws from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, select

from store.context import stored_id
from store.kept_records import RecordState
from store.learning_tables import AutomaticMatchRow
from store.tables import RecordRow


@dataclass(frozen=True, slots=True, kw_only=True)
class CausedRecord:
    """A record that an alias confirmed.

    Attributes:
        stands: Still at the portals on the word of the alias alone: not taken back, nor replaced by a person's
            correction.
    """

    record_id: int
    confirmed_at: datetime
    stands: bool


def week_of(moment: datetime) -> date:
    """The Monday of the week of a moment, in UTC."""
    day = moment.date()
    return day - timedelta(days=day.weekday())


def keep(session: Session, row: RecordRow, *, alias_id: int | None, now: datetime) -> None:
    """Keep that the program confirmed this record by itself, or by an alias."""
    session.add(
        AutomaticMatchRow(
            record_id=stored_id(row.id),
            site=row.site,
            patient_id=row.patient_id or "",
            week=week_of(now),
            confirmed_at=now,
            alias_id=alias_id,
        )
    )
    session.flush()


def taken_back(session: Session, record_ids: Iterable[int], *, now: datetime) -> None:
    """These records no longer stand on an automatic match, if they ever did."""
    for record_id in record_ids:
        row = session.get(AutomaticMatchRow, record_id)
        if row is not None and row.taken_back_at is None:
            row.taken_back_at = now
            session.add(row)
    session.flush()


def caused_by(session: Session, alias_id: int) -> list[CausedRecord]:
    """What an alias has confirmed, oldest first."""
    query = (
        select(AutomaticMatchRow, RecordRow)
        .join(RecordRow, col(RecordRow.id) == col(AutomaticMatchRow.record_id))
        .where(col(AutomaticMatchRow.alias_id) == alias_id)
        .order_by(col(AutomaticMatchRow.record_id))
    )
    return [
        CausedRecord(
            record_id=match.record_id,
            confirmed_at=match.confirmed_at,
            stands=match.taken_back_at is None
            and record.state == RecordState.CONFIRMED
            and record.superseded_by is None,
        )
        for match, record in session.exec(query)
    ]
