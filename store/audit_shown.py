"""Which records and patients an event showed, where its object does not say: lists, searches, candidates.

The chain holds no patient's id, so they are kept beside it; the event holds a code of them under the audit key, so that
a row taken away or put in shows like an edited event.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest as hmac_digest
from typing import Final

from sqlalchemy import insert
from sqlmodel import Session, col, select

from store.audit_tables import ShownPatientRow, ShownRecordRow
from store.tables import CaseRow, table_of

NAMED: Final = "named"
"""The detail of an event that holds the code of what it showed."""

_KEEP_RECORD: Final = insert(table_of(ShownRecordRow))
_KEEP_PATIENT: Final = insert(table_of(ShownPatientRow))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What an event showed besides its object.

    Attributes:
        records: Row ids of records.
        patients: Site and patient id of patients of the roster.
    """

    records: frozenset[int] = frozenset()
    patients: frozenset[tuple[str, str]] = frozenset()

    def code(self, key: bytes) -> str:
        """A code of all of it; it tells nothing to whoever lacks the key."""
        named = [sorted(self.records), sorted(map(list, self.patients))]
        return hmac_digest(key, json.dumps(named, separators=(",", ":")).encode(), sha256).hex()[:32]


def keep(session: Session, seq: int, shown: Shown) -> None:
    """Keep what an event showed, in the transaction of the event."""
    if shown.records:
        rows = [{"record_id": number, "seq": seq} for number in sorted(shown.records)]
        session.connection().execute(_KEEP_RECORD, rows)
    if shown.patients:
        people = [{"site": site, "patient_id": one, "seq": seq} for site, one in sorted(shown.patients)]
        session.connection().execute(_KEEP_PATIENT, people)


def of_events(session: Session, first: int, last: int) -> dict[int, Shown]:
    """What the events from `first` to `last` showed; those that showed nothing besides their object are not there."""
    records: dict[int, set[int]] = defaultdict(set)
    patients: dict[int, set[tuple[str, str]]] = defaultdict(set)
    within = col(ShownRecordRow.seq).between(first, last)
    for seq, record_id in session.exec(select(ShownRecordRow.seq, ShownRecordRow.record_id).where(within)):
        records[seq].add(record_id)
    within = col(ShownPatientRow.seq).between(first, last)
    people = select(ShownPatientRow.seq, ShownPatientRow.site, ShownPatientRow.patient_id).where(within)
    for seq, site, patient_id in session.exec(people):
        patients[seq].add((site, patient_id))
    return {
        seq: Shown(records=frozenset(records[seq]), patients=frozenset(patients[seq])) for seq in {*records, *patients}
    }


def records_of_cases(session: Session, case_ids: Collection[int]) -> set[int]:
    """The records that wait in these cases."""
    return set(session.exec(select(CaseRow.record_id).where(col(CaseRow.id).in_(case_ids))))


def seqs_of_patient(session: Session, site: str, patient_id: str) -> set[int]:
    """Events that showed this patient of the roster."""
    query = select(ShownPatientRow.seq).where(
        col(ShownPatientRow.site) == site, col(ShownPatientRow.patient_id) == patient_id
    )
    return set(session.exec(query))


def seqs_of_records(session: Session, record_ids: Iterable[int]) -> dict[int, set[int]]:
    """Events that showed any of these records among others, with the records."""
    found: dict[int, set[int]] = defaultdict(set)
    for record_id in record_ids:
        for seq in session.exec(select(ShownRecordRow.seq).where(col(ShownRecordRow.record_id) == record_id)):
            found[seq].add(record_id)
    return found
