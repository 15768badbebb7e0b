"""What somebody asks of the audit trail, as the form says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from store import audit_search, reports
from store.audit_search import EventKey, Wanted
from store.database import Session

_OBJECT: Final = re.compile(r"(record|case|report|submission|alert|roster|user|template|destination)[ :]+(\S.*)", re.I)
_FILE: Final = re.compile(r".+\.(pdf|csv)", re.I)
_KEY: Final = re.compile(r"(?P<at>[\d:.T+-]{20,40}) (?P<seq>\d{1,18})")
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The fields of the search, as they are shown again.

    Attributes:
        about: A record, case, report or file, a user, or words that a patient is found by.
        who: User name, or empty for anybody.
        action: Action, or empty for any.
        first: ISO day, or empty; the same for `last`, which is included.
        before: Key of the page before, or None.
    """

    about: str = ""
    who: str = ""
    action: str = ""
    first: str = ""
    last: str = ""
    before: EventKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What a question means.

    Attributes:
        wanted: The events it asks for, or None if it names a patient.
        patient: Words that a patient is found by, or empty.
    """

    wanted: Wanted | None
    patient: str = ""


def question(form: Mapping[str, str]) -> Question:
    """The question of a form."""
    key = _KEY.fullmatch(form.get("before", ""))
    return Question(
        about=form.get("about", "").strip()[:_LONGEST],
        who=form.get("who", "")[:_LONGEST],
        action=form.get("action", "")[:_LONGEST],
        first=_day_text(form.get("first", "")),
        last=_day_text(form.get("last", "")),
        before=EventKey(key["at"], int(key["seq"])) if key else None,
    )


def meant(session: Session, asked: Question, *, zone: tzinfo) -> Meant:
    """The events that a question asks for; days are those of the clinic."""
    last = _day(asked.last)
    wanted = Wanted(
        actor=asked.who or None,
        action=asked.action or None,
        first=_midnight(_day(asked.first), zone),
        until=_midnight(last + timedelta(days=1) if last else None, zone),
    )
    if not asked.about:
        return Meant(wanted=wanted)
    objects = _objects(session, asked.about)
    if objects is None and not asked.who and asked.about in audit_search.actors(session):
        return Meant(wanted=_with(wanted, actor=asked.about))
    return Meant(wanted=None, patient=asked.about) if objects is None else Meant(wanted=_with(wanted, objects=objects))


def _with(wanted: Wanted, *, actor: str | None = None, objects: tuple[tuple[str, str], ...] = ()) -> Wanted:
    return Wanted(
        actor=actor or wanted.actor, action=wanted.action, objects=objects, first=wanted.first, until=wanted.until
    )


def _objects(session: Session, about: str) -> tuple[tuple[str, str], ...] | None:
    """The objects that words name; a bare number is a record and a report. None if they name no object."""
    if about.isascii() and about.isdecimal() and len(about) < 10:
        return (*audit_search.about_record(session, int(about)), ("report", str(int(about))))
    named = _OBJECT.fullmatch(about)
    if named is not None:
        kind, number = named[1].lower(), named[2].strip()
        is_record = kind == "record" and number.isascii() and number.isdecimal() and len(number) < 10
        return audit_search.about_record(session, int(number)) if is_record else ((kind, number),)
    if _FILE.fullmatch(about):
        return tuple(("report", str(number)) for number in reports.named(session, about)) or (("report", "none"),)
    return None


def _midnight(day: date | None, zone: tzinfo) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _day_text(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        return ""
