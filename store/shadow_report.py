"""The comparison of what Scorebridge would send with what staff typed, put together from the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session, col, or_, select

from records.comparison import ComparedValue, ReadValue, RecordPlace, SettledDifference, Verdict
from records.errors import DecisionRefusedError
from store import shadow_findings
from store.context import stored_id
from store.handover import SERVICE
from store.kept_records import RecordState
from store.serialised import assessment_of, match_of
from store.shadow_figures import Findings, ShadowFigures, figures, value_key
from store.shadow_linkage import link
from store.shadow_values import typed_values
from store.tables import RecordRow

_PLACES: Final = {
    RecordState.CONFIRMED: RecordPlace.WOULD_BE_SENT,
    RecordState.REVIEW: RecordPlace.IN_REVIEW,
    RecordState.REJECTED: RecordPlace.REJECTED,
    RecordState.WITHDRAWN: RecordPlace.WITHDRAWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is compared.

    Attributes:
        sites: Site ids.
        first: First day of administration; None for the first that both sides have.
        last: Last day of administration; None for the last that both sides have.
        days: How far apart the days of one administration may be typed.
    """

    sites: tuple[str, ...]
    first: date | None = None
    last: date | None = None
    days: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowComparison:
    """A comparison.

    Attributes:
        first: First day of the period, or None where one side has nothing.
        last: Last day of the period, or None.
        compared: Administrations of the period, by day.
        findings: What people settled, while what they saw is unchanged.
        outside: Values that lie outside the period and are not compared, of both sides.
    """

    sites: tuple[str, ...]
    first: date | None
    last: date | None
    days: int
    compared: tuple[ComparedValue, ...]
    findings: Findings
    figures: ShadowFigures
    outside: int

    @property
    def open(self) -> tuple[ComparedValue, ...]:
        """What has a difference that nobody has settled."""
        return tuple(one for one in self.compared if self.unsettled(one))

    @property
    def settled(self) -> tuple[ComparedValue, ...]:
        """What differs and is settled whole."""
        return tuple(one for one in self.compared if one.differences and not self.unsettled(one))

    def unsettled(self, value: ComparedValue) -> tuple[str, ...]:
        """The differences of a value that nobody has settled."""
        return tuple(field for field in value.differences if value_key(value, field) not in self.findings)

    def found(self, value: ComparedValue, field: str) -> SettledDifference | None:
        """What a person found of one difference, or None."""
        return self.findings.get(value_key(value, field))


def compare(session: Session, scope: Scope) -> ShadowComparison:
    """Put both sides together for some sites and a period."""
    linked, findings = _linked(session, scope)
    first, last = _period(linked, scope)
    inside = tuple(one for one in linked if _is_between(one, first, last))
    return ShadowComparison(
        sites=scope.sites,
        first=first,
        last=last,
        days=scope.days,
        compared=inside,
        findings=findings,
        figures=figures(inside, findings),
        outside=len(linked) - len(inside),
    )


def first_day(session: Session, site: str) -> date | None:
    """The first day of administration of what would be sent for a site, or None if nothing would."""
    days = [
        one.administered_on
        for one in _read_values(session, site)
        if one.place is RecordPlace.WOULD_BE_SENT and one.administered_on is not None
    ]
    return min(days, default=None)


def find(session: Session, scope: Scope, key: tuple[int, int]) -> tuple[ComparedValue, Findings]:
    """One value of the comparison, whatever the period, and what people found.

    Args:
        key: Record id and number of the typed value, 0 for none.

    Raises:
        DecisionRefusedError: The two do not stand together (any more).
    """
    linked, findings = _linked(session, scope)
    value = next((one for one in linked if one.key == key), None)
    if value is None:
        raise DecisionRefusedError("This difference is not there any more.", next_step="Reload the list.")
    return value, findings


def settle(
    session: Session,
    scope: Scope,
    key: tuple[int, int],
    verdicts: Mapping[str, Verdict],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Take what a person found of the differences of one value; a later finding replaces an earlier one.

    Args:
        key: Record id and number of the typed value, 0 for none.
        verdicts: Field to who was right.

    Raises:
        DecisionRefusedError: There is no such difference (any more), or the verdict does not fit it.
    """
    value, _ = find(session, scope, key)
    shadow_findings.write(session, value, verdicts, actor=actor, now=now)


def _linked(session: Session, scope: Scope) -> tuple[list[ComparedValue], Findings]:
    linked: list[ComparedValue] = []
    findings: dict[tuple[int, int, str], SettledDifference] = {}
    for site in scope.sites:
        apart = shadow_findings.no_pairs(session, site)
        of_site = link(_read_values(session, site), typed_values(session, site), days=scope.days, no_pairs=apart)
        linked += of_site
        findings |= shadow_findings.standing(session, site, of_site)
    return linked, findings


def _read_values(session: Session, site: str) -> list[ReadValue]:
    query = select(RecordRow).where(
        col(RecordRow.site) == site,
        col(RecordRow.state) != RecordState.DUPLICATE,
        or_(col(RecordRow.superseded_by).is_(None), col(RecordRow.state) != RecordState.CONFIRMED),
    )
    return [_read_value(row) for row in session.exec(query)]


def _read_value(row: RecordRow) -> ReadValue:
    # Not `kept_records`: what was read and the evidence are most of a record, and are not compared.
    made = assessment_of(row.assessment)
    return ReadValue(
        record_id=stored_id(row.id),
        site=row.site,
        place=_PLACES[RecordState(row.state)],
        patient_id=row.patient_id or match_of(row.match).patient_id,
        instrument=made.instrument,
        administered_on=made.authored_on,
        total=made.total,
        result=made.result,
        items=made.item_points,
        by_person=row.confirmed_by not in (None, SERVICE),
    )


def _period(linked: Sequence[ComparedValue], scope: Scope) -> tuple[date | None, date | None]:
    """The days that both sides have, unless a person says which."""
    read = [one.day for one in linked if one.day and one.read and one.read.place is RecordPlace.WOULD_BE_SENT]
    typed = [one.typed.entry.administered_on for one in linked if one.typed]
    if not read or not typed:
        return scope.first, scope.last
    return scope.first or max(min(read), min(typed)), scope.last or min(max(read), max(typed))


def _is_between(value: ComparedValue, first: date | None, last: date | None) -> bool:
    if value.day is None:
        return True
    return (first is None or first <= value.day) and (last is None or value.day <= last)
