"""Which typed value belongs to which record, although either may be wrong in a field. Pure: same input, same output.

    1  same patient, questionnaire and day     the scores may differ; equal ones find each other first
    2  the day differs by a few days           equal scores, else the only two left in that time
    3  the patient differs                     same questionnaire, day and score, and nobody else it could be
    4  the questionnaire differs               same patient, day and score, likewise

Each value is linked once, and what Scorebridge would send comes before what waits in review or was rejected. What is
left stands alone on its side; one that repeats a linked one says so. A link across patients, days or questionnaires is
a guess that a person confirms: see `Verdict.TWO_VALUES`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from datetime import date
from typing import Final

from records.comparison import (
    DATE,
    INSTRUMENT,
    PATIENT,
    TOTAL,
    ComparedValue,
    FieldComparison,
    ReadValue,
    RecordPlace,
    Standing,
    TypedEntry,
    TypedValue,
    item_field,
)

_Key = tuple[Hashable, ...]
_Pair = tuple[ReadValue, TypedValue]
_NOT_SENT: Final = (RecordPlace.IN_REVIEW, RecordPlace.REJECTED, RecordPlace.WITHDRAWN)
_STANDING: Final = {
    RecordPlace.IN_REVIEW: Standing.IN_REVIEW,
    RecordPlace.REJECTED: Standing.REJECTED,
    RecordPlace.WITHDRAWN: Standing.WITHDRAWN,
}


def link(
    read: Iterable[ReadValue],
    typed: Iterable[TypedValue],
    *,
    days: int,
    no_pairs: Collection[tuple[int, int]] = (),
) -> tuple[ComparedValue, ...]:
    """Both sides of one site put together; every value that would be sent and every typed one is there once.

    Args:
        days: How far apart the days of one administration may be typed.
        no_pairs: Record id and number of the typed value of what a person called two values.
    """
    desk = _Desk(read, typed, no_pairs)
    sent = (RecordPlace.WOULD_BE_SENT,)
    desk.take_same_key(sent)
    desk.take_same_key(_NOT_SENT)
    desk.take_near(sent, days=days)
    desk.take_the_only_one(sent, _but_patient)
    desk.take_the_only_one(sent, _but_instrument)
    desk.take_near(_NOT_SENT, days=days)
    desk.take_the_only_one(_NOT_SENT, _but_patient)
    return desk.compared()


class _Desk:
    """What is not linked yet, and what is."""

    def __init__(
        self, read: Iterable[ReadValue], typed: Iterable[TypedValue], no_pairs: Collection[tuple[int, int]]
    ) -> None:
        self._read = {one.record_id: one for one in sorted(read, key=lambda one: one.record_id)}
        self._typed = {one.typed_id: one for one in sorted(typed, key=lambda one: one.typed_id)}
        self._no_pairs = frozenset(no_pairs)
        self._pairs: list[_Pair] = []

    def take_same_key(self, places: tuple[RecordPlace, ...]) -> None:
        """Link what has the same patient, questionnaire and day; those most alike first."""
        found = self._candidates(places, _whole)
        for pair in sorted(found, key=lambda pair: (-_likeness(pair), _ids(pair))):
            self._take(pair)

    def take_near(self, places: tuple[RecordPlace, ...], *, days: int) -> None:
        """Link what was administered within some days: equal scores first and nearest, then the only two left."""
        found = [pair for pair in self._candidates(places, _but_day) if 0 < _apart(pair) <= days]
        for pair in sorted(found, key=lambda pair: (_apart(pair), _ids(pair))):
            if _same_score(pair):
                self._take(pair)
        left = [pair for pair in found if self._is_free(pair)]
        reads, typeds = Counter(a.record_id for a, _ in left), Counter(b.typed_id for _, b in left)
        for pair in left:
            if reads[pair[0].record_id] == typeds[pair[1].typed_id] == 1:
                self._take(pair)

    def take_the_only_one(self, places: tuple[RecordPlace, ...], key: Callable[[ReadValue | TypedEntry], _Key]) -> None:
        """Link what is alike under a key that leaves one field out, where it is one value on either side."""
        found = [pair for pair in self._candidates(places, key) if _same_score(pair)]
        reads, typeds = Counter(a.record_id for a, _ in found), Counter(b.typed_id for _, b in found)
        for pair in found:
            if reads[pair[0].record_id] == typeds[pair[1].typed_id] == 1:
                self._take(pair)

    def compared(self) -> tuple[ComparedValue, ...]:
        """Everything, linked or alone, by record and then by typed value."""
        again_read = {_whole(a): a.record_id for a, _ in self._pairs if a.place is RecordPlace.WOULD_BE_SENT}
        again_typed = {_whole(b.entry): b.typed_id for _, b in reversed(self._pairs)}
        made = [_compared(pair) for pair in self._pairs]
        for one in self._read.values():
            if one.place is RecordPlace.WOULD_BE_SENT:
                like = again_read.get(_whole(one))
                standing = Standing.ONLY_READ if like is None else Standing.READ_AGAIN
                made.append(ComparedValue(read=one, typed=None, standing=standing, like=like))
        for value in self._typed.values():
            like = again_typed.get(_whole(value.entry))
            standing = Standing.ONLY_TYPED if like is None else Standing.TYPED_AGAIN
            made.append(ComparedValue(read=None, typed=value, standing=standing, like=like))
        return tuple(sorted(made, key=lambda one: (one.day or date.min, one.key)))

    def _candidates(
        self, places: tuple[RecordPlace, ...], key: Callable[[ReadValue | TypedEntry], _Key]
    ) -> list[_Pair]:
        by_key: Mapping[_Key, list[TypedValue]] = _grouped(self._typed.values(), lambda value: key(value.entry))
        pairs = [
            (one, value)
            for one in self._read.values()
            if one.place in places and one.instrument is not None and one.administered_on is not None
            for value in by_key.get(key(one), ())
        ]
        return [pair for pair in pairs if _ids(pair) not in self._no_pairs]

    def _is_free(self, pair: _Pair) -> bool:
        return pair[0].record_id in self._read and pair[1].typed_id in self._typed

    def _take(self, pair: _Pair) -> None:
        if self._is_free(pair):
            del self._read[pair[0].record_id], self._typed[pair[1].typed_id]
            self._pairs.append(pair)


def _grouped(values: Iterable[TypedValue], key: Callable[[TypedValue], _Key]) -> dict[_Key, list[TypedValue]]:
    groups: dict[_Key, list[TypedValue]] = defaultdict(list)
    for value in values:
        groups[key(value)].append(value)
    return groups


def _whole(one: ReadValue | TypedEntry) -> _Key:
    return one.patient_id, one.instrument, one.administered_on


def _but_day(one: ReadValue | TypedEntry) -> _Key:
    return one.patient_id, one.instrument


def _but_patient(one: ReadValue | TypedEntry) -> _Key:
    return one.instrument, one.administered_on


def _but_instrument(one: ReadValue | TypedEntry) -> _Key:
    return one.patient_id, one.administered_on


def _ids(pair: _Pair) -> tuple[int, int]:
    return pair[0].record_id, pair[1].typed_id


def _apart(pair: _Pair) -> int:
    day, typed = pair[0].administered_on, pair[1].entry.administered_on
    return 0 if day is None else abs((day - typed).days)


def _same_score(pair: _Pair) -> bool:
    return _folded(pair[0].score) == _folded(pair[1].entry.score)


def _likeness(pair: _Pair) -> int:
    answers = zip(pair[0].items or (), pair[1].entry.items or (), strict=False)
    return 1000 * _same_score(pair) + sum(a == b for a, b in answers)


def _folded(score: int | str | None) -> int | str | None:
    return " ".join(score.casefold().split()) if isinstance(score, str) else score


def _compared(pair: _Pair) -> ComparedValue:
    read, typed = pair
    fields = tuple(_fields(read, typed.entry))
    if read.place is not RecordPlace.WOULD_BE_SENT:
        return ComparedValue(read=read, typed=typed, standing=_STANDING[read.place], fields=fields)
    standing = Standing.AGREES if all(one.agrees for one in fields) else Standing.DIFFERS
    return ComparedValue(read=read, typed=typed, standing=standing, fields=fields)


def _fields(read: ReadValue, typed: TypedEntry) -> Iterable[FieldComparison]:
    """The fields that both sides have; answers only where both have some."""
    yield _field(PATIENT, read.patient_id, typed.patient_id)
    yield _field(INSTRUMENT, read.instrument, typed.instrument)
    day = None if read.administered_on is None else read.administered_on.isoformat()
    yield _field(DATE, day, typed.administered_on.isoformat())
    yield _field(TOTAL, read.score, typed.score)
    if read.items is None or typed.items is None or read.instrument != typed.instrument:
        return
    for number in range(1, max(len(read.items), len(typed.items)) + 1):
        yield _field(item_field(number), _answer(read.items, number), _answer(typed.items, number))


def _answer(items: tuple[int | None, ...], number: int) -> int | None:
    return items[number - 1] if number <= len(items) else None


def _field(name: str, read: int | str | None, typed: int | str | None) -> FieldComparison:
    return FieldComparison(field=name, read=read, typed=typed, agrees=_folded(read) == _folded(typed))
