"""Give a confirmed record another day, time or instrument: another administration, another value at the portals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from records.assessment import SymptomAssessment
from records.errors import DecisionRefusedError
from store import amendments, automatic_matches, known
from store.amendments import AmendmentKind
from store.cases import ApprovedAs, confirm_as
from store.confirming import administration, key_of
from store.context import keys_of, stored_id
from store.corrections import audit_record, confirmed_row, earlier_records, take_back_everywhere
from store.kept_records import RecordState
from store.serialised import assessment_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassigned:
    """What became of a record.

    Attributes:
        withdrawals: Places that are told to drop the old value.
        duplicate_of: The record that has these values already, or None.
    """

    withdrawals: int
    duplicate_of: int | None


def reassign(
    session: Session,
    record_id: int,
    *,
    assessment: SymptomAssessment,
    reason: str,
    actor: str,
    now: datetime,
    destinations: Sequence[str],
    as_: ApprovedAs = ApprovedAs.CONFIRMATION,
) -> Reassigned:
    """Withdraw the record where it was told, and confirm it anew for the same patient; the new waits for the old.

    Raises:
        DecisionRefusedError: The record is not confirmed or was replaced, it would stay the same administration, a
            value that must be sent is missing, or the new one is known with other values and `as_` does not say what
            this is.
    """
    row = confirmed_row(session, record_id)
    which = administration(assessment, site=row.site, patient_id=row.patient_id or "")
    if which is None:
        raise DecisionRefusedError(
            "The questionnaire, its day or its result is missing.", next_step="Nothing was changed. Name all of them."
        )
    if key_of(session, which) == row.assessment_key:
        raise DecisionRefusedError(
            "Day, time and questionnaire are the same as before.", next_step="Correct values with “submission correct”."
        )
    kept = amendments.keep(session, row, AmendmentKind.REASSIGNED, reason=reason, actor=actor, now=now)
    withdrawals = take_back_everywhere(session, row, now=now)
    for other in earlier_records(session, row):
        other.state = RecordState.WITHDRAWN
        session.add(other)
    # Nothing may find the record under its old administration while it is looked for under the new one.
    row.state, row.corrects = RecordState.REVIEW, None
    row.assessment, row.values_digest = assessment_text(assessment), known.values_digest(keys_of(session), assessment)
    session.add(row)
    session.flush()
    confirm_as(session, row, which, as_, actor=actor, destinations=destinations, now=now)
    if row.state == RecordState.DUPLICATE:
        row.patient_id = row.assessment_key = row.external_id = None
        row.confirmed_by = row.confirmed_at = None
        session.add(row)
        automatic_matches.taken_back(session, (stored_id(row.id),), now=now)
    session.flush()
    detail = (("amendment", str(kept.id)), ("withdrawals", str(withdrawals)), ("outcome", row.state))
    audit_record(session, row, "record.reassigned", actor=actor, now=now, detail=detail)
    return Reassigned(withdrawals=withdrawals, duplicate_of=row.duplicate_of)
