"""Who looked at a patient: every event that showed something of them, whatever it was about."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import sqlalchemy
from sqlmodel import Session, col, or_, select

from store import audit_shown
from store.amendment_tables import AmendmentRow
from store.audit import ChainedEvent, chained
from store.audit_search import about_record
from store.audit_shown import Shown
from store.audit_tables import AuditRow
from store.learning_tables import BlindAuditRow
from store.serialised import assessment_of
from store.tables import AlertRow, CaseRow, RecordRow, StoreTable, SubmissionRow, table_of

_LOOKS: Final = ("viewed", "listed", "searched", "shown", "compared", "exported")
_PAGE: Final = "page.viewed"
_TRAIL: Final = "patient.trail-viewed"
_CHUNK: Final = 400
# Kind of an object to its table and the column that names the record it belongs to.
_OWNERS: Final[dict[str, tuple[type[StoreTable], str]]] = {
    "record": (RecordRow, "id"),
    "case": (CaseRow, "record_id"),
    "submission": (SubmissionRow, "record_id"),
    "alert": (AlertRow, "record_id"),
    "blind-audit": (BlindAuditRow, "record_id"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """An event that is about a patient.

    Attributes:
        records: Which records of the patient it is about; empty where only the roster's entry was shown.
    """

    link: ChainedEvent
    records: frozenset[int]


def is_look(action: str) -> bool:
    """Whether an event says that somebody looked at something, rather than changed it."""
    return action.endswith(_LOOKS)


def who_saw(session: Session, *, site: str, patient_id: str, everything: bool = False) -> tuple[Look, ...]:
    """Every look at a patient of a site, newest first.

    A look at a case, report, page or list counts for each record in it that is, or once was, the patient's; a look at
    the roster's entry, as among the candidates of a case or in a search, counts by itself.

    Args:
        everything: Changes too, not only looks.
    """
    records = records_of(session, site=site, patient_id=patient_id)
    found: dict[int, tuple[AuditRow, set[int]]] = {}
    for row, about in _of_objects(session, _objects(session, records)):
        found.setdefault(row.seq, (row, set()))[1].update(about)
    shown = audit_shown.seqs_of_records(session, records)
    for seq in audit_shown.seqs_of_patient(session, site, patient_id):
        shown.setdefault(seq, set())
    for row in _by_number(session, shown.keys()):
        found.setdefault(row.seq, (row, set()))[1].update(shown[row.seq])
    for row, about in _trails(session, site, records):
        found.setdefault(row.seq, (row, set()))[1].update(about)
    looks = [
        Look(link=chained(row), records=frozenset(about))
        for row, about in found.values()
        if everything or is_look(row.action)
    ]
    return tuple(sorted(looks, key=lambda look: (look.link.at, look.link.seq), reverse=True))


def records_of(session: Session, *, site: str, patient_id: str) -> tuple[int, ...]:
    """Every record that is, or once was, a patient's."""
    queries = (
        select(RecordRow.id).where(col(RecordRow.site) == site, col(RecordRow.patient_id) == patient_id),
        select(SubmissionRow.record_id).where(
            col(SubmissionRow.site) == site, col(SubmissionRow.patient_id) == patient_id
        ),
        select(AmendmentRow.record_id).where(
            col(AmendmentRow.site) == site,
            or_(col(AmendmentRow.patient_id) == patient_id, col(AmendmentRow.to_patient_id) == patient_id),
        ),
    )
    return tuple(sorted({number for query in queries for number in session.exec(query) if number is not None}))


def named_by(session: Session, link: ChainedEvent) -> Shown:
    """The records and patients of the roster that an event is about."""
    kind, number = link.event.object_kind, link.event.object_id
    also = audit_shown.of_events(session, link.seq, link.seq).get(link.seq, Shown())
    records: set[int] = set()
    if number.isdecimal():
        place = (kind, number, dict(link.event.detail).get("shown", "") if link.event.action == _PAGE else "")
        if kind in _OWNERS:
            records |= _owner(session, kind, int(number))
        if kind == "report":
            records |= page_objects(session, [int(number)]).get(place, set())
    return Shown(records=also.records | records, patients=also.patients)


def _owner(session: Session, kind: str, number: int) -> set[int]:
    owner, column = _OWNERS[kind]
    table = table_of(owner)
    query = sqlalchemy.select(table.c[column]).where(table.c.id == number)
    return {int(one) for one in session.connection().execute(query).scalars() if one is not None}


def page_objects(session: Session, report_ids: Iterable[int]) -> dict[tuple[str, str, str], set[int]]:
    """Records by what a look at a report or one of its pages names: kind, id, and the page ("" for all of it)."""
    found: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    listed = sorted(set(report_ids))
    for start in range(0, len(listed), _CHUNK):
        within = col(RecordRow.report_id).in_(listed[start : start + _CHUNK])
        for number, report_id, text in session.exec(
            select(RecordRow.id, RecordRow.report_id, RecordRow.as_read).where(within)
        ):
            if number is not None:
                found["report", str(report_id), ""].add(number)
                found["report", str(report_id), str(assessment_of(text).page)].add(number)
    return found


def page_of(row: AuditRow) -> str:
    """The page that an event showed, or "" if it is about all of its object."""
    return dict(json.loads(row.detail)).get("shown", "") if row.action == _PAGE else ""


def _objects(session: Session, records: Iterable[int]) -> dict[tuple[str, str, str], set[int]]:
    wanted = set(records)
    found: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    for record_id in wanted:
        for kind, number in about_record(session, record_id):
            found[kind, number, ""].add(record_id)
    reports = session.exec(select(RecordRow.report_id).where(col(RecordRow.id).in_(wanted)).distinct())
    for place, inside in page_objects(session, reports).items():
        if inside & wanted:
            found[place] |= inside & wanted
    return found


def _of_objects(session: Session, objects: dict[tuple[str, str, str], set[int]]) -> Iterable[tuple[AuditRow, set[int]]]:
    kinds: dict[str, set[str]] = defaultdict(set)
    for kind, number, _ in objects:
        kinds[kind].add(number)
    for kind, numbers in kinds.items():
        listed = sorted(numbers)
        for start in range(0, len(listed), _CHUNK):
            query = select(AuditRow).where(
                col(AuditRow.object_kind) == kind, col(AuditRow.object_id).in_(listed[start : start + _CHUNK])
            )
            for row in session.exec(query):
                about = objects.get((kind, row.object_id, page_of(row)), set())
                if about:
                    yield row, about


def _by_number(session: Session, numbers: Iterable[int]) -> Iterable[AuditRow]:
    listed = sorted(numbers)
    for start in range(0, len(listed), _CHUNK):
        yield from session.exec(select(AuditRow).where(col(AuditRow.seq).in_(listed[start : start + _CHUNK])))


def _trails(session: Session, site: str, records: Iterable[int]) -> Iterable[tuple[AuditRow, set[int]]]:
    """Looks at trails that name their records in the event itself."""
    wanted = set(records)
    query = select(AuditRow).where(
        col(AuditRow.action) == _TRAIL, col(AuditRow.object_kind) == "site", col(AuditRow.object_id) == site
    )
    for row in session.exec(query):
        named = dict(json.loads(row.detail)).get("records", "").split()
        about = {int(number) for number in named if number.isdecimal()} & wanted
        if about:
            yield row, about
