"""Templates that no longer read as usual: what changed, since when, how much waits for it, and how they did before."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import case, func
from sqlmodel import Session, col, select

from parsers.drift import least_usual
from store import notices
from store.kept_records import RecordState
from store.signatures import DRIFTED, LookState, latest
from store.tables import RecordRow, ReportRow, TemplateRow
from store.templates import TemplateState, states

DAYS: Final = 14
_SENTENCES: Final = 3
_LOOKS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRate:
    """How many records of one day needed no person."""

    day: date
    automatic: int
    of: int

    @property
    def share(self) -> float:
        """Part of them, 0..1."""
        return self.automatic / self.of


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLayout:
    """A template that is held, or has drifted.

    Attributes:
        template: "id@revision".
        is_held: Nothing it reads goes out without a person.
        since: When the first report looked different or, where none did, when a person put it on hold.
        changes: What is not as usual, in sentences without patient data.
        waiting: Records it has read since then that wait for a person.
        rates: Of the last two weeks and every revision of the template, oldest first; only days with records.
        limit: Share of automatic records below which a day is out of its usual range; None while too little is known.
    """

    template: str
    is_held: bool
    since: datetime
    changes: tuple[str, ...]
    waiting: int
    rates: tuple[DayRate, ...]
    limit: float | None


def held_names(session: Session) -> frozenset[str]:
    """Templates on hold, "id@revision"; a revision that a higher one has replaced does not count."""
    return frozenset(name for name, state in _newest(session).items() if state is TemplateState.HELD)


def held_layouts(session: Session, *, sites: Collection[str], day: date) -> list[HeldLayout]:
    """Templates that are held or have drifted, in order of their names, with what they read at these sites.

    Args:
        day: Today; the two weeks end with it.
    """
    newest = _newest(session)
    drifted = {one.subject: one.left_at for one in notices.list_open(session) if one.kind == DRIFTED}
    wrong = [name for name, state in newest.items() if state is TemplateState.HELD or name in drifted]
    return [
        _layout(session, name, newest[name], sites=sites, day=day, drifted_at=drifted.get(name))
        for name in sorted(wrong)
    ]


def _newest(session: Session) -> dict[str, TemplateState]:
    found = states(session)
    newest = {name: max(revision for other, revision in found if other == name) for name, _ in found}
    return {f"{name}@{revision}": found[name, revision] for name, revision in newest.items()}


def _layout(
    session: Session,
    name: str,
    state: TemplateState,
    *,
    sites: Collection[str],
    day: date,
    drifted_at: datetime | None,
) -> HeldLayout:
    template_id, _, revision = name.partition("@")
    since = drifted_at or session.get_one(TemplateRow, (template_id, int(revision))).changed_at
    looks = [one for one in latest(session, name, limit=_LOOKS) if one.site in sites]
    odd = next((one for one in looks if one.state is LookState.DRIFTED), None)
    rates = _rates(session, template_id, sites=sites, day=day)
    return HeldLayout(
        template=name,
        is_held=state is TemplateState.HELD,
        since=since,
        changes=tuple(change.sentence for change in odd.changes if change.holds)[:_SENTENCES] if odd else (),
        waiting=_waiting(session, name, sites=sites, since=since),
        rates=rates,
        limit=least_usual([one.share for one in rates if one.day < since.date()]),
    )


def _waiting(session: Session, name: str, *, sites: Collection[str], since: datetime) -> int:
    query = (
        select(func.count())
        .select_from(ReportRow)
        .join(RecordRow, col(RecordRow.report_id) == col(ReportRow.id))
        .where(
            col(ReportRow.site).in_(sites),
            col(ReportRow.day) >= since.date() - timedelta(days=1),
            col(ReportRow.template) == name,
            col(RecordRow.state) == RecordState.REVIEW,
        )
    )
    return session.exec(query).one()


def _rates(session: Session, template_id: str, *, sites: Collection[str], day: date) -> tuple[DayRate, ...]:
    by_program = case((col(RecordRow.confirmed_by) == "service", 1), else_=0)
    per_report = (
        select(col(RecordRow.day), col(RecordRow.report_id), func.sum(by_program), func.count())
        .where(
            col(RecordRow.site).in_(sites), col(RecordRow.day) > day - timedelta(days=DAYS), col(RecordRow.day) <= day
        )
        .group_by(col(RecordRow.day), col(RecordRow.report_id))
        .order_by(col(RecordRow.day))
    )
    named = select(ReportRow.id).where(
        col(ReportRow.site).in_(sites),
        col(ReportRow.day) > day - timedelta(days=DAYS),
        col(ReportRow.template).startswith(f"{template_id}@", autoescape=True),
    )
    ours = set(session.exec(named))
    sums: dict[date, tuple[int, int]] = {}
    for when, report_id, automatic, of in session.exec(per_report):
        if report_id in ours:
            before = sums.get(when, (0, 0))
            sums[when] = (before[0] + int(automatic), before[1] + of)
    return tuple(DayRate(day=when, automatic=done, of=of) for when, (done, of) in sums.items())
