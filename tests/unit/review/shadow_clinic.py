"""The invented clinic while staff still type: confirmed records, and what was typed of them, with planted slips."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from records.comparison import TypedEntry
from records.decision import Decision, MatchGrade
from review import shadow_actions
from store import shadow_report, shadow_signing
from store.shadow_report import Scope
from tests.unit.review.review_clinic import ROSTER, SITE, Clinic, Row, answers, candidate, hand_in, identity, match_of

FIRST = date(2026, 11, 2)


def confirmed_rows(count: int) -> tuple[Row, ...]:
    """So many rows of a report, each about an active patient of the roster on a day of their own."""
    people = [one for one in ROSTER if one.active]
    rows = []
    for number in range(count):
        who = people[number % len(people)]
        points = tuple((number + question) % 4 for question in range(9))
        match = replace(
            match_of(candidate(who.patient_id, 0.9999, ("name", "exact", 9.0), ("mrn", "exact", 19.0)), reasons=()),
            grade=MatchGrade.CERTAIN,
        )
        rows.append(
            Row(
                who=identity(f"{who.family}, {who.given}", who.birth_date, who.mrn, who.sex),
                match=match,
                reasons=(),
                total=sum(points),
                items=answers(*points),
                authored_on=FIRST + timedelta(days=number),
            )
        )
    return tuple(rows)


def typed_like(rows: tuple[Row, ...]) -> list[TypedEntry]:
    """What staff type of these rows when they make no mistake."""
    return [
        TypedEntry(
            patient_id=row.match.patient_id or "",
            instrument=row.instrument or "",
            administered_on=row.authored_on or FIRST,
            total=row.total,
            items=tuple(item.points for item in row.items or ()),
            line=number,
        )
        for number, row in enumerate(rows, start=2)
    ]


def with_typed_values(clinic: Clinic, *, slips: bool = True) -> None:
    """Fourteen records and what staff typed.

    With slips, a digit is wrong, a patient, a day; one value is missing, one doubled; and Scorebridge lacks one.
    """
    rows = confirmed_rows(14)
    hand_in(clinic.database, rows, now=clinic.clock(), decision=Decision.CONFIRMED)
    entries = typed_like(rows)
    if slips:
        entries[1] = replace(entries[1], total=(entries[1].total or 0) + 10)
        entries[3] = replace(entries[3], patient_id="D3" if entries[3].patient_id != "D3" else "D1")
        entries[5] = replace(entries[5], administered_on=entries[5].administered_on + timedelta(days=1))
        entries.append(replace(entries[8], line=40))
        entries.append(replace(entries[9], administered_on=FIRST + timedelta(days=4), instrument="gad-7", items=None))
        del entries[7]
    shadow_actions.keep_typed(
        clinic.database, SITE, entries, source="file", sha256="0" * 64, actor="rosa", now=clinic.clock()
    )


def open_difference(clinic: Clinic) -> tuple[int, int]:
    """Record id and number of the typed value of a difference that nobody has settled."""
    with clinic.database.reading() as session:
        return shadow_report.compare(session, Scope(sites=(SITE,))).open[0].key


def signed_day(clinic: Clinic) -> int:
    """Sign the first day, on which nothing differs; the number of the signed page."""
    scope = Scope(sites=(SITE,), first=FIRST, last=FIRST)
    with clinic.database.reading() as session:
        seen = shadow_signing.snapshot(shadow_report.compare(session, scope)).sha256
    signed = shadow_actions.sign(
        clinic.database, scope, name="Ada Synthetic", sha256_seen=seen, actor="ada", now=clinic.clock()
    )
    return signed.sign_off_id
