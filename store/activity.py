"""What people did in a week, in figures without patients: what an auditor looks through and signs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from hashlib import sha256
from typing import Final

from pydantic import TypeAdapter
from sqlmodel import Session, col, func, select

from store import audit_shown
from store.audit import chained, stamp
from store.audit_looks import is_look, page_objects, page_of
from store.audit_tables import AuditRow
from store.tables import CaseRow, RecordRow

DAY_BEGINS, DAY_ENDS = 6, 20
"""Hours between which work is usual on weekdays, on the clocks of the clinic."""

_WEEK: Final = timedelta(days=7)
_WEEKS_BEFORE: Final = 4
_PEAK: Final = 3  # times what is usual for the person
_PEAK_FROM: Final = 50  # looks; below that anything may be three times the usual
_NOBODY: Final = frozenset({"service"})
_SIGNED_IN: Final = "user.signed-in"
_ORDINARY: Final = frozenset({_SIGNED_IN, "user.signed-out"})
_CHUNK: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonsWeek:
    """What one person did in a week.

    Attributes:
        name: User name, or the account at a terminal.
        failures: Sign-ins under this name that failed.
        looks: Times the person looked at patient data.
        patients: Different patients seen; a print that nobody is confirmed for counts as one.
        changes: Everything else the person did.
        out_of_hours: Events at night or at the weekend.
        usual: Mean number of looks in the four weeks before.
        is_peak: Whether the looks are far above the usual.
    """

    name: str
    sign_ins: int
    failures: int
    looks: int
    patients: int
    changes: int
    out_of_hours: int
    usual: float
    is_peak: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NotableEvent:
    """An event that deserves a look of its own: an export, an account or role changed, emergency access."""

    seq: int
    at: datetime
    actor: str
    action: str
    object_id: str
    detail: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekOfActivity:
    """A week, from Monday on, on the clocks of the clinic.

    Attributes:
        events: Events in all, those of the service included.
        people: Whoever did something, most looks first.
        notable: In their order.
    """

    week: date
    events: int
    people: tuple[PersonsWeek, ...]
    notable: tuple[NotableEvent, ...]

    @property
    def text(self) -> str:
        """The same as JSON, always in the same order."""
        return WEEK_AS_JSON.dump_json(self).decode()

    @property
    def sha256(self) -> str:
        """Of the text: what the person who signs has before them, as one number."""
        return sha256(self.text.encode()).hexdigest()

    def is_in(self, name: str) -> bool:
        """Whether this person looked at patients or changed something; signing in alone is nothing to review."""
        return any(one.name == name and (one.looks or one.changes) for one in self.people)


WEEK_AS_JSON: Final = TypeAdapter(WeekOfActivity)


def week_of(moment: datetime, zone: tzinfo) -> date:
    """The Monday of a moment's week on the clocks of the clinic."""
    day = moment.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def activity(session: Session, week: date, *, zone: tzinfo) -> WeekOfActivity:
    """What people did in the week that begins on a Monday.

    Args:
        zone: The clinic's; it says when a week begins and when it is night.
    """
    first, until = _ends(week, zone)
    within = (col(AuditRow.at) >= first, col(AuditRow.at) < until)
    rows = session.exec(select(AuditRow).where(*within).order_by(col(AuditRow.at), col(AuditRow.seq))).all()
    did: dict[str, list[AuditRow]] = defaultdict(list)
    for row in rows:
        did[row.actor].append(row)
    failures = Counter(row.object_id for row in rows if _is_failure(row))
    seen, usual = _patients_seen(session, rows), _usual(session, week, zone)
    people = [
        _person(name, did[name], zone, failures=failures[name], patients=len(seen[name]), usual=usual[name])
        for name in (did.keys() | failures.keys()) - _NOBODY
    ]
    return WeekOfActivity(
        week=week,
        events=len(rows),
        people=tuple(sorted(people, key=lambda one: (-one.looks, one.name))),
        notable=tuple(_notable(row) for row in rows if _is_notable(row)),
    )


def _ends(week: date, zone: tzinfo) -> tuple[str, str]:
    """The first instant of a week and the first one after it, as the chain holds instants."""
    first, following = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (week, week + _WEEK))
    return stamp(first), stamp(following)


def _person(
    name: str, did: Sequence[AuditRow], zone: tzinfo, *, failures: int, patients: int, usual: float
) -> PersonsWeek:
    looks = sum(is_look(row.action) for row in did)
    return PersonsWeek(
        name=name,
        sign_ins=sum(row.action == _SIGNED_IN for row in did),
        failures=failures,
        looks=looks,
        patients=patients,
        changes=sum(not is_look(row.action) and row.action not in _ORDINARY for row in did),
        out_of_hours=sum(_is_out_of_hours(chained(row).at.astimezone(zone)) for row in did),
        usual=usual,
        is_peak=looks >= _PEAK_FROM and looks > _PEAK * usual,
    )


def _is_out_of_hours(local: datetime) -> bool:
    return local.weekday() >= 5 or not DAY_BEGINS <= local.hour < DAY_ENDS


def _is_failure(row: AuditRow) -> bool:
    return row.object_kind == "user" and row.action.endswith("failed")


def _is_notable(row: AuditRow) -> bool:
    is_account = row.object_kind == "user" and row.action not in _ORDINARY and not _is_failure(row)
    return is_account or row.action.endswith("exported") or "emergency" in row.action


def _notable(row: AuditRow) -> NotableEvent:
    link = chained(row)
    return NotableEvent(
        seq=row.seq,
        at=link.at,
        actor=row.actor,
        action=row.action,
        object_id=row.object_id,
        detail=link.event.detail,
    )


def _usual(session: Session, week: date, zone: tzinfo) -> dict[str, float]:
    """Mean number of looks of each person in the weeks before; weeks before the first event count too."""
    first, _ = _ends(week - _WEEKS_BEFORE * _WEEK, zone)
    until, _ = _ends(week, zone)
    query = (
        select(AuditRow.actor, AuditRow.action, func.count())
        .where(col(AuditRow.at) >= first, col(AuditRow.at) < until)
        .group_by(col(AuditRow.actor), col(AuditRow.action))
    )
    counted: Counter[str] = Counter()
    for actor, action, number in session.exec(query):
        counted[actor] += number if is_look(action) else 0
    return defaultdict(float, {actor: number / _WEEKS_BEFORE for actor, number in counted.items()})


def _patients_seen(session: Session, rows: Sequence[AuditRow]) -> dict[str, set[str]]:
    """Actor to the different patients that the looks among these events showed."""
    looks = [row for row in rows if is_look(row.action)]
    seen: dict[str, set[str]] = defaultdict(set)
    if not looks:
        return seen
    numbers = [row.seq for row in looks]
    shown = audit_shown.of_events(session, min(numbers), max(numbers))
    records = _records_named(session, looks)
    everything = {number for inside in records.values() for number in inside}
    everything |= {number for one in shown.values() for number in one.records}
    person_of = _people_of(session, everything)
    for row in looks:
        also = shown.get(row.seq, audit_shown.Shown())
        inside = records.get((row.object_kind, row.object_id, page_of(row)), set()) | also.records
        seen[row.actor] |= {person_of.get(number, f"record {number}") for number in inside}
        seen[row.actor] |= {f"{site} {patient_id}" for site, patient_id in also.patients}
    return seen


def _records_named(session: Session, looks: Iterable[AuditRow]) -> dict[tuple[str, str, str], set[int]]:
    """Records by what looks name: a record, a case, a report or a page of it."""
    ids: dict[str, set[int]] = defaultdict(set)
    for row in looks:
        if row.object_id.isdecimal():
            ids[row.object_kind].add(int(row.object_id))
    found = page_objects(session, ids["report"])
    found |= {("record", str(number), ""): {number} for number in ids["record"]}
    for chunk in _chunks(ids["case"]):
        query = select(CaseRow.id, CaseRow.record_id).where(col(CaseRow.id).in_(chunk))
        found |= {("case", str(number), ""): {record_id} for number, record_id in session.exec(query)}
    return found


def _people_of(session: Session, record_ids: Iterable[int]) -> dict[int, str]:
    """Record to its patient; a record that nobody is confirmed for is not there."""
    found: dict[int, str] = {}
    for chunk in _chunks(record_ids):
        query = select(RecordRow.id, RecordRow.site, RecordRow.patient_id).where(
            col(RecordRow.id).in_(chunk), col(RecordRow.patient_id).is_not(None)
        )
        found |= {number: f"{site} {patient_id}" for number, site, patient_id in session.exec(query) if number}
    return found


def _chunks(numbers: Iterable[int]) -> Iterable[list[int]]:
    listed = sorted(numbers)
    return (listed[start : start + _CHUNK] for start in range(0, len(listed), _CHUNK))
