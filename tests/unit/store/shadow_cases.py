"""Synthetic values of both sides: a clinic's two weeks read by Scorebridge, and the same typed by staff."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

from records.comparison import ReadValue, RecordPlace, SettledDifference, TypedEntry, TypedValue, Verdict

SITE = "WCP"
DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
ANSWERS = {"phq-9": 9, "gad-7": 7}


def read(record_id: int, **changes: object) -> ReadValue:
    made = ReadValue(
        record_id=record_id,
        site=SITE,
        place=RecordPlace.WOULD_BE_SENT,
        patient_id="D1",
        instrument="phq-9",
        administered_on=DAY,
        total=9,
        result=None,
        items=(1, 1, 1, 1, 1, 1, 1, 1, 1),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def typed(typed_id: int, **changes: object) -> TypedValue:
    entry = TypedEntry(patient_id="D1", instrument="phq-9", administered_on=DAY, total=9, items=(1,) * 9)
    return TypedValue(typed_id=typed_id, site=SITE, entry=replace(entry, **changes))  # type: ignore[arg-type]


def as_typed(one: ReadValue, **changes: object) -> TypedValue:
    """What staff type of a record when they make no mistake but those in `changes`."""
    entry = TypedEntry(
        patient_id=one.patient_id or "",
        instrument=one.instrument or "",
        administered_on=one.administered_on or DAY,
        total=one.total,
        items=one.items,
    )
    return TypedValue(typed_id=one.record_id, site=SITE, entry=replace(entry, **changes))  # type: ignore[arg-type]


def two_weeks(count: int, *, seed: int = 1) -> list[ReadValue]:
    """So many administrations, no patient twice with one questionnaire on one day."""
    chance, made = Random(seed), []
    for number in range(1, count + 1):
        instrument = chance.choice(sorted(ANSWERS))
        items = tuple(chance.randint(0, 3) for _ in range(ANSWERS[instrument]))
        made.append(
            read(
                number,
                patient_id=f"D{number}",
                instrument=instrument,
                administered_on=DAY + timedelta(days=chance.randrange(12)),
                total=sum(items),
                items=items,
            )
        )
    return made


def settled(key: tuple[int, int], field: str, verdict: Verdict) -> SettledDifference:
    return SettledDifference(
        record_id=key[0], typed_id=key[1], field=field, verdict=verdict, settled_by="ida", settled_at=NOW
    )
