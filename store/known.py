"""What is known already of an assessment, by keys that tell nothing about the patient.

Two keys lead to a record. The *printed key* stands for who and what the paper says, before anybody knows the patient;
the *assessment key* for one administration to one patient, once that is confirmed. The *values digest* says whether two
prints of one assessment carry the same values.
"""

from __future__ import annotations

from base64 import b32encode
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import bindparam
from sqlmodel import Session, and_, col, or_, select

from records.assessment import SymptomAssessment
from store.context import stored_id
from store.kept_records import RecordState
from store.keys import Keys
from store.tables import RecordRow

_CHUNK = 400  # keys per query: well under the parameter limits of both engines

# Written once: building a statement costs more than running it, and these run for every record.
_STANDING: Final = (
    select(RecordRow)
    .where(
        col(RecordRow.site) == bindparam("site"),
        col(RecordRow.assessment_key) == bindparam("key"),
        col(RecordRow.state) == RecordState.CONFIRMED,
        col(RecordRow.superseded_by).is_(None),
    )
    .order_by(col(RecordRow.id))
)
# The site stands in both halves, or SQLite walks all its records instead of looking into two indexes.
_REFUSED: Final = select(RecordRow.values_digest, RecordRow.read_digest).where(
    or_(
        and_(col(RecordRow.site) == bindparam("site"), col(RecordRow.printed_key) == bindparam("printed")),
        and_(col(RecordRow.site) == bindparam("site"), col(RecordRow.assessment_key) == bindparam("key")),
    ),
    col(RecordRow.state).in_((RecordState.REJECTED, RecordState.WITHDRAWN)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAssessment:
    """The record that speaks for an assessment: confirmed before waiting before rejected, then the newest.

    Attributes:
        values_digest: Of its values as they stand.
        state: A word of `RecordState`; never duplicate.
        patient_id: The confirmed patient, or None.
        external_id: Opaque id of the assessment at the portals, or None before it is confirmed.
        also: Digests that count as known too: its values as read before a person corrected them, and those of further
            administrations of that day.
    """

    record_id: int
    values_digest: str
    state: RecordState
    patient_id: str | None
    external_id: str | None
    revision: int
    also: frozenset[str]

    def holds(self, values_digest: str) -> bool:
        """Whether a print with these values brings nothing new."""
        return values_digest == self.values_digest or values_digest in self.also


def alert_key(
    keys: Keys, site: str, assessment: SymptomAssessment, *, fingerprint: str, report_id: int, position: int
) -> str:
    """What one critical answer is known by, so that a reprint does not alert again.

    Whoever cannot be told apart from others is never taken for somebody who was alerted before: such a record is
    known by its place in its report.
    """
    if not assessment.can_be_known_again:
        return f"report:{report_id}:{position}"
    return printed_key(keys, site, assessment, fingerprint=fingerprint)


def printed_key(keys: Keys, site: str, assessment: SymptomAssessment, *, fingerprint: str) -> str:
    """Key of who and what is printed: identity, questionnaire, day and time. `fingerprint` is matching's."""
    instrument = assessment.instrument or assessment.instrument_printed.strip().casefold()
    day = assessment.authored_on.isoformat() if assessment.authored_on else None
    return keys.opaque("printed", (site, fingerprint, instrument, day, assessment.authored_time)).hex()


def assessment_key(
    keys: Keys, *, site: str, patient_id: str, instrument: str, authored_on: date, time: str | None
) -> str:
    """Key of one administration of `instrument` to one patient; `time` is the printed time or visit, if any."""
    return keys.opaque("assessment", (site, patient_id, instrument, authored_on.isoformat(), time)).hex()


def external_id(
    keys: Keys, *, site: str, patient_id: str, instrument: str, authored_on: date, time: str | None, occurrence: int = 1
) -> str:
    """Id of an assessment for the portals: 32 characters of base32 that nobody without the key can trace back.

    The site belongs to it: what two clinics print of one patient's day are two assessments, each its own to correct.
    """
    parts = (site, patient_id, instrument, authored_on.isoformat(), time, occurrence)
    return b32encode(keys.opaque("external", parts)).decode()[:32]


def values_digest(keys: Keys, assessment: SymptomAssessment) -> str:
    """Digest of total, result and answers."""
    items = assessment.item_points
    answers = () if items is None else (len(items), *items)
    return keys.opaque("values", (assessment.instrument, assessment.total, assessment.result, *answers)).hex()


def find_known(session: Session, site: str, keys: Sequence[str]) -> dict[str, KnownAssessment]:
    """For each printed or assessment key that is known at this site, the record that speaks for it."""
    found: dict[str, list[RecordRow]] = defaultdict(list)
    wanted = set(keys)
    for chunk in _chunks(sorted(wanted)):
        query = select(RecordRow).where(
            col(RecordRow.site) == site,
            or_(col(RecordRow.printed_key).in_(chunk), col(RecordRow.assessment_key).in_(chunk)),
            col(RecordRow.state) != RecordState.DUPLICATE,
        )
        for row in session.exec(query):
            for key in {row.printed_key, row.assessment_key} & set(chunk):
                if key is not None:
                    found[key].append(row)
    return {key: _spokesman(rows) for key, rows in found.items()}


def standing(session: Session, site: str, key: str) -> list[RecordRow]:
    """Confirmed records with this assessment key that no correction has replaced, oldest first."""
    return list(session.exec(_STANDING, params={"site": site, "key": key}))


def was_refused(session: Session, site: str, *, printed: str, assessment: str, digest: str) -> bool:
    """Whether a person has rejected or withdrawn these values, in this print or under this assessment key."""
    found = session.exec(_REFUSED, params={"site": site, "printed": printed, "key": assessment})
    return any(digest in (kept, read) for kept, read in found)


def digests(row: RecordRow) -> frozenset[str]:
    """Digests of a record's values, as they stand and as they were read."""
    return frozenset((row.values_digest, row.read_digest))


def _spokesman(rows: list[RecordRow]) -> KnownAssessment:
    best = max(rows, key=_weight)
    alive = [row for row in rows if row is best or (row.state == RecordState.CONFIRMED and row.superseded_by is None)]
    return KnownAssessment(
        record_id=stored_id(best.id),
        values_digest=best.values_digest,
        state=RecordState(best.state),
        patient_id=best.patient_id,
        external_id=best.external_id,
        revision=best.revision,
        also=frozenset().union(*(digests(row) for row in alive)) - {best.values_digest},
    )


def _weight(row: RecordRow) -> tuple[int, int]:
    if row.state == RecordState.CONFIRMED:
        rank = 4 if row.superseded_by is None else 2
    elif row.state == RecordState.REVIEW:
        rank = 3
    else:
        rank = 1
    return rank, stored_id(row.id)


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]
