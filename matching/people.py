"""People from a table instead of a report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from records.human_name import split_name
from records.patient import PatientIdentity

_ISO = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ].*)?")
_PARTED = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_SEX: Final = {"f": "F", "female": "F", "w": "F", "m": "M", "male": "M", "x": "X"}


def identity_from_person(row: Mapping[str, str]) -> PatientIdentity:
    """The identity in a row with the columns name, family, given, birth_date, mrn and sex; empty where unknown.

    Further columns count where there are any: middle, suffix, phone, clinician, visit_date.

    `family` and `given` win over `name`, which may be "Last, First M" or "First M Last Jr". Birth dates are ISO 8601;
    one written as 3/14/1990 is understood too, and keeps both readings where day and month cannot be told apart.
    Columns that are absent count as empty; others are ignored.

    Raises:
        ValueError: The birth date is none. The message does not repeat it.
    """
    name, family, given = (_cell(row, column) for column in ("name", "family", "given"))
    parts = split_name(name, order="auto")
    if family or given:
        parts = split_name(f"{family}, {given}", order="family-first")
    birth_date, other = _birth_date(_cell(row, "birth_date"))
    return PatientIdentity(
        name=name or ", ".join(part for part in (family, given) if part),
        family=parts.family,
        given=parts.given,
        middle=_cell(row, "middle") or parts.middle,
        suffix=_cell(row, "suffix") or parts.suffix,
        birth_date=birth_date,
        birth_date_other_reading=other,
        mrn=_cell(row, "mrn") or None,
        sex=_SEX.get(_cell(row, "sex").lower()),
        phone=_cell(row, "phone") or None,
        clinician=_cell(row, "clinician") or None,
        visit_date=_visit_date(_cell(row, "visit_date")),
    )


def _visit_date(text: str) -> date | None:
    """The day of the visit; None for none, and for one that cannot be told for sure: it would only support."""
    try:
        day, other = _birth_date(text)
    except ValueError:
        return None
    return None if other is not None else day


def _cell(row: Mapping[str, str], column: str) -> str:
    return " ".join((row.get(column) or "").split())


def _birth_date(text: str) -> tuple[date | None, date | None]:
    """The date and, where day and month may be either, the other reading."""
    if not text:
        return None, None
    if iso := _ISO.fullmatch(text):
        year, month, day = map(int, iso.groups())
        return _day(year, month, day) or _refuse(), None
    if parted := _PARTED.fullmatch(text):
        first, second, year = map(int, parted.groups())
        month_first, day_first = _day(year, first, second), _day(year, second, first)
        if month_first is None:
            return day_first or _refuse(), None
        return month_first, day_first if day_first != month_first else None
    return _refuse(), None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _refuse() -> date:
    raise ValueError("birth_date is not a date of the form YYYY-MM-DD")
