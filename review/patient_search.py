"""Finding a patient of the roster by whatever a person remembers: name, birth date, record number, in any order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from rapidfuzz.distance import OSA, JaroWinkler

from matching.normalisation import mrn_core, normalise_mrn, normalise_name
from records.patient import Roster, RosterPatient

_MAX_QUERY: Final = 200  # characters; nobody types more
_MAX_WORDS: Final = 8
_LEAST_SIMILARITY: Final = 0.86  # Jaro-Winkler; one slip in a short name still passes

_NUMERIC_DATE = re.compile(r"(?<![\w-])(\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4})(?![\w-])")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_WORDED_DATE = re.compile(
    rf"(?<!\w)(?:{_DAY}[-/ .]+{_MONTH}|{_MONTH}[-/ .]+{_DAY})[-/ ,.]+\d{{4}}(?!\w)", re.IGNORECASE
)
_FORMATS: Final = ("%Y-%m-%d", "%m-%d-%Y", "%d-%m-%Y", "%m-%d-%y", "%d-%m-%y")


def find_patients(roster: Roster, query: str, *, limit: int = 20) -> tuple[RosterPatient, ...]:
    """Patients who fit every word of `query`, best first, at most `limit`; active ones before inactive ones.

    Args:
        roster: The patients of one site.
        query: Names, a birth date (ISO or as printed on paper) and a record number, in any order.
        limit: How many to return.
    """
    return PatientIndex(roster).find(query, limit=limit)


@dataclass(frozen=True, slots=True)
class _Entry:
    patient: RosterPatient
    names: tuple[str, ...]
    mrn: str
    born: str


@dataclass(frozen=True, slots=True)
class _Query:
    days: frozenset[date]
    words: tuple[str, ...]


class PatientIndex:
    """A roster made ready for being searched many times."""

    def __init__(self, roster: Roster) -> None:
        self._entries = tuple(_entry(patient) for patient in roster.patients)

    def find(self, query: str, *, limit: int = 20) -> tuple[RosterPatient, ...]:
        """See `find_patients`."""
        wanted = _understood(query)
        if not wanted.days and not wanted.words:
            return ()
        found = [(score, entry) for entry in self._entries if (score := _score(wanted, entry)) > 0]
        found.sort(key=lambda hit: (not hit[1].patient.active, -hit[0], hit[1].names, hit[1].patient.patient_id))
        return tuple(entry.patient for _, entry in found[:limit])


def _entry(patient: RosterPatient) -> _Entry:
    fields = (patient.family, patient.given, patient.middle, patient.preferred, patient.former_family)
    names = [normalise_name(field) for field in fields if field]
    words = dict.fromkeys(word for name in names for word in (*name.split(), name.replace(" ", "")))
    return _Entry(
        patient=patient,
        names=tuple(words),
        mrn=normalise_mrn(patient.mrn),
        born=patient.birth_date.strftime("%Y%m%d") if patient.birth_date else "",
    )


def _understood(query: str) -> _Query:
    text = query[:_MAX_QUERY]
    days: set[date] = set()
    for pattern in (_WORDED_DATE, _NUMERIC_DATE):
        for match in pattern.finditer(text):
            read = set(_days(match.group()))
            if read:
                days |= read
                text = text.replace(match.group(), " ")
    words = [word.strip(",;:()'\"") for word in text.replace(",", " ").split()]
    return _Query(days=frozenset(days), words=tuple(word for word in words if normalise_name(word))[:_MAX_WORDS])


def _days(text: str) -> Iterator[date]:
    """Every day a printed date may mean: 03/04/1987 is read both ways."""
    worded = re.search(r"[a-z]{3,}", text, re.IGNORECASE)
    if worded:
        month = worded.group()[:3].lower()
        numbers = re.findall(r"\d+", text)
        forms: tuple[str, ...] = ("%d-%b-%Y",)
        text = f"{numbers[0]}-{month}-{numbers[1]}"
    else:
        forms, text = _FORMATS, re.sub(r"[/.]", "-", text)
    for form in forms:
        try:
            day = datetime.strptime(text, form).date()  # noqa: DTZ007 - dates on paper have no zone
            yield day
            if "%y" in form:
                yield day.replace(year=day.year - 100)  # "56" is 2056 to strptime (POSIX)
        except ValueError:
            continue


def _score(wanted: _Query, entry: _Entry) -> float:
    """Sum over the words of how well each fits; 0 as soon as one fits nothing."""
    total = 0.0
    if wanted.days:
        nearness = max(_day_score(day.strftime("%Y%m%d"), entry.born) for day in wanted.days)
        if nearness == 0:
            return 0
        total += nearness
    for word in wanted.words:
        nearness = _word_score(word, entry)
        if nearness == 0:
            return 0
        total += nearness
    return total


def _day_score(day: str, born: str) -> float:
    if not born:
        return 0
    if day == born:
        return 1
    return 0.5 if OSA.distance(day, born, score_cutoff=1) <= 1 else 0


def _word_score(word: str, entry: _Entry) -> float:
    if word == entry.patient.patient_id:
        return 1
    if any(character.isdigit() for character in word):
        return _mrn_score(normalise_mrn(word), entry.mrn)
    name = normalise_name(word).replace(" ", "")
    best = 0.0
    for known in entry.names:
        if known == name:
            return 1
        if len(name) >= 2 and known.startswith(name):
            best = max(best, 0.9)
        elif len(name) >= 3:
            best = max(best, 0.8 * JaroWinkler.similarity(name, known, score_cutoff=_LEAST_SIMILARITY))
        elif len(name) == 1 and known.startswith(name):
            best = max(best, 0.3)
    return best


def _mrn_score(number: str, known: str) -> float:
    if not number or not known:
        return 0
    if number == known:
        return 1
    if mrn_core(number) == mrn_core(known):
        return 0.95
    if len(number) >= 3 and known.startswith(number):
        return 0.8
    return 0.6 if len(number) >= 4 and OSA.distance(number, known, score_cutoff=1) <= 1 else 0
