"""How often Scorebridge and how often staff were wrong, field by field, by what people settled. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from matching.error_bound import interval
from records.comparison import (
    DATE,
    INSTRUMENT,
    PATIENT,
    PRESENCE,
    TOTAL,
    ComparedValue,
    RecordPlace,
    SettledDifference,
    Standing,
    Verdict,
    is_item,
)

Findings = Mapping[tuple[int, int, str], SettledDifference]

MISSING: Final = "missing"
ONE_TOO_MANY: Final = "one-too-many"
ANSWERS: Final = "answers"
OVERALL: Final = "overall"
UNATTENDED: Final = "overall-unattended"
FIELDS: Final = (PATIENT, INSTRUMENT, DATE, TOTAL, ANSWERS, MISSING, ONE_TOO_MANY, OVERALL, UNATTENDED)


class Side(StrEnum):
    """Whose error it is."""

    SCOREBRIDGE = "scorebridge"
    STAFF = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRate:
    """How often one side was wrong in one field.

    Attributes:
        wrong: Found wrong by a person.
        unsettled: Differences that nobody has settled: perhaps wrong.
        of: Values compared.
    """

    wrong: int
    unsettled: int
    of: int

    @property
    def low(self) -> float:
        """Lower end of the exact 95 % interval, 0..1, as if nothing unsettled were wrong."""
        return interval(self.wrong, self.of)[0]

    @property
    def high(self) -> float:
        """Upper end of the exact 95 % interval, 0..1, as if everything unsettled were wrong."""
        return interval(self.wrong + self.unsettled, self.of)[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """Values administered on one day."""

    day: date
    read: int
    typed: int
    agree: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowFigures:
    """What a comparison comes to.

    Attributes:
        rates: Field and side to how often it was wrong; the fields are `FIELDS`.
        standings: How many administrations stand how.
        unsettled: Differences nobody has settled.
        days: Values per day of administration.
    """

    rates: Mapping[tuple[str, Side], ErrorRate]
    standings: Mapping[Standing, int]
    unsettled: int
    days: tuple[DayCount, ...]

    @property
    def compared(self) -> int:
        """Administrations that both sides have."""
        return self.standings[Standing.AGREES] + self.standings[Standing.DIFFERS]


def figures(compared: Iterable[ComparedValue], findings: Findings) -> ShadowFigures:
    """Count; what a person has settled as nobody's error leaves both sides right."""
    values = tuple(compared)
    of: Counter[tuple[str, Side]] = Counter()
    wrong: Counter[tuple[str, Side]] = Counter()
    open_: Counter[tuple[str, Side]] = Counter()
    unsettled = 0
    for value in values:
        blamed, doubtful = _blame(value, findings)
        unsettled += sum(value_key(value, field) not in findings for field in value.differences)
        of.update(_counted_in(value, findings))
        wrong.update(blamed)
        open_.update(doubtful)
        for name in _overall_names(value, findings):
            for side in Side:
                whole = (name, side)
                of[whole] += 1
                if any(one == side for _, one in blamed):
                    wrong[whole] += 1
                elif any(one == side for _, one in doubtful):
                    open_[whole] += 1
    rates = {
        (name, side): ErrorRate(wrong=wrong[name, side], unsettled=open_[name, side], of=of[name, side])
        for name in FIELDS
        for side in Side
    }
    counts = Counter(value.standing for value in values)
    return ShadowFigures(
        rates=rates,
        standings={standing: counts[standing] for standing in Standing},
        unsettled=unsettled,
        days=tuple(_days(values)),
    )


def value_key(value: ComparedValue, field: str) -> tuple[int, int, str]:
    """What the finding about a field of a value is kept under."""
    return (*value.key, field)


def _counted_in(value: ComparedValue, findings: Findings) -> Iterator[tuple[str, Side]]:
    """The fields, and whose, in which this value could have been wrong."""
    if value.standing in (Standing.AGREES, Standing.DIFFERS):
        for one in value.fields:
            for side in Side:
                yield _row(one.field), side
        for side in Side:
            yield MISSING, side
            yield ONE_TOO_MANY, side
    elif value.standing is not Standing.IN_REVIEW and not _is_nobodys(value, findings):
        first, second = _lone_sides(value)
        yield MISSING, first
        yield ONE_TOO_MANY, second


def _blame(value: ComparedValue, findings: Findings) -> tuple[list[tuple[str, Side]], list[tuple[str, Side]]]:
    """Fields that one side was wrong in, and those that it may be."""
    wrong: list[tuple[str, Side]] = []
    doubtful: list[tuple[str, Side]] = []
    for field in value.differences:
        found = findings.get(value_key(value, field))
        rows = _rows_of(value, field)
        if found is None:
            doubtful += rows
        else:
            wrong += [row for row in rows if row[1] in _wrong_sides(found.verdict)]
    return wrong, doubtful


def _rows_of(value: ComparedValue, field: str) -> list[tuple[str, Side]]:
    if field != PRESENCE:
        return [(_row(field), side) for side in Side]
    first, second = _lone_sides(value)
    return [(MISSING, first), (ONE_TOO_MANY, second)]


def _lone_sides(value: ComparedValue) -> tuple[Side, Side]:
    """Who may have missed a value that one side has alone, and who may have one too many."""
    typed_alone = value.read is None or value.read.place is not RecordPlace.WOULD_BE_SENT
    return (Side.SCOREBRIDGE, Side.STAFF) if typed_alone else (Side.STAFF, Side.SCOREBRIDGE)


def _wrong_sides(verdict: Verdict) -> tuple[Side, ...]:
    return {
        Verdict.SCOREBRIDGE_RIGHT: (Side.STAFF,),
        Verdict.STAFF_RIGHT: (Side.SCOREBRIDGE,),
        Verdict.BOTH_WRONG: (Side.SCOREBRIDGE, Side.STAFF),
    }.get(verdict, ())


def _overall_names(value: ComparedValue, findings: Findings) -> tuple[str, ...]:
    if value.standing is Standing.IN_REVIEW or _is_nobodys(value, findings):
        return ()
    unattended = value.read is not None and not value.read.by_person
    return (OVERALL, UNATTENDED) if unattended and value.standing in _SENT else (OVERALL,)


_SENT: Final = (Standing.AGREES, Standing.DIFFERS, Standing.ONLY_READ, Standing.READ_AGAIN)


def _is_nobodys(value: ComparedValue, findings: Findings) -> bool:
    """Whether a value that one side has alone is nobody's error: it is not compared, then."""
    found = findings.get(value_key(value, PRESENCE))
    return found is not None and found.verdict is Verdict.NEITHER_WRONG


def _row(field: str) -> str:
    return ANSWERS if is_item(field) else field


def _days(values: tuple[ComparedValue, ...]) -> Iterator[DayCount]:
    read: Counter[date] = Counter()
    typed: Counter[date] = Counter()
    agree: Counter[date] = Counter()
    for value in values:
        if value.day is None:
            continue
        read[value.day] += value.read is not None and value.read.place is RecordPlace.WOULD_BE_SENT
        typed[value.day] += value.typed is not None
        agree[value.day] += value.standing is Standing.AGREES
    for day in sorted(read.keys() | typed.keys()):
        yield DayCount(day=day, read=read[day], typed=typed[day], agree=agree[day])
