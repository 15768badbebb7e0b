"""What people said of prints: "this print is that patient", kept so that the same print needs nobody the next time.

An alias is only ever doubted, never mended: what it rests on has changed, or somebody says otherwise, and it is
suspended or revoked for good. The next decision about such a print makes a new one. Every step is an event.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from matching.aliases import RIVAL_BITS, roster_fingerprint
from matching.normalisation import (
    is_test_patient,
    known_birth_date,
    known_name,
    normalise_mrn,
    split_suffix,
    strip_mrn_zeros,
)
from records.decision import MatchDecision
from records.patient import Alias, PatientIdentity, RosterPatient
from store import calibrations
from store.alias_doubts import change_of, doubt
from store.alias_states import (
    SERVICE,
    STANDING,
    AliasReason,
    AliasState,
    StoredAlias,
    alias_row,
    of_print,
    standing_row,
    stored_alias,
    turn,
)
from store.context import stored_id
from store.learning_tables import AliasEventRow, AliasRow
from store.serialised import assessment_of, codes_of, codes_text, match_of
from store.tables import RecordRow

_DISPUTES: Final = (AliasReason.REVIEWERS_DISAGREE, AliasReason.BLIND_AUDIT, AliasReason.VETOED, AliasReason.REVOKED)


def teach(
    session: Session,
    row: RecordRow,
    patient: RosterPatient,
    *,
    source: str,
    disputed: bool,
    actor: str,
    now: datetime,
) -> None:
    """Learn from a person's "this record is about this patient".

    An alias is made where the print carries two independent identifiers, of name, birth date and record number. One
    for another patient is suspended: people disagree. A second person must say it too where that happened before, or
    where the family name or the birth date is not the patient's own.

    Args:
        row: The record, flushed.
        source: Where its report was printed.
        disputed: Somebody has said before that this print is not this patient.
    """
    said_of = of_print(session, row.site, row.fingerprint)
    for other in said_of:
        if other.state in STANDING and other.patient_id != patient.patient_id:
            doubt(session, other, AliasReason.REVIEWERS_DISAGREE, actor=actor, now=now)
    mine = next((one for one in said_of if one.source == source and one.state in STANDING), None)
    changed = None if mine is None else change_of(mine, patient)
    if mine is not None and changed is None:
        _say_again(session, mine, row, actor=actor, now=now)
        return
    if mine is not None and changed is not None:
        turn(session, mine, AliasState.SUSPENDED, changed, actor=actor, now=now)
    identity = assessment_of(row.as_read).patient
    if not _can_be_taught(identity, patient):
        return
    second = disputed or _is_disputed(session, said_of) or _differs(identity, patient)
    made = AliasRow(
        site=row.site,
        source=source,
        fingerprint=row.fingerprint,
        patient_id=patient.patient_id,
        roster_fingerprint=roster_fingerprint(patient),
        mrn=strip_mrn_zeros(normalise_mrn(identity.mrn)),
        rivals=codes_text(tuple(sorted(_rivals(match_of(row.match), patient.patient_id)))),
        evidence=row.match,
        model=calibrations.model_version(session),
        record_id=stored_id(row.id),
        state="",
        said_by=actor,
        said_at=now,
    )
    session.add(made)
    session.flush()
    state = AliasState.AWAITING_SECOND if second else AliasState.ACTIVE
    turn(session, made, state, AliasReason.TAUGHT, actor=actor, now=now)


def standing(session: Session, *, site: str, source: str) -> dict[str, Alias]:
    """The aliases that may confirm a print of this source, by fingerprint."""
    query = select(AliasRow).where(
        col(AliasRow.site) == site, col(AliasRow.source) == source, col(AliasRow.state) == AliasState.ACTIVE
    )
    return {
        row.fingerprint: Alias(
            fingerprint=row.fingerprint,
            patient_id=row.patient_id,
            roster_fingerprint=row.roster_fingerprint,
            rivals=frozenset(codes_of(row.rivals)),
        )
        for row in session.exec(query)
    }


def proposal(session: Session, *, site: str, source: str, fingerprint: str) -> StoredAlias | None:
    """The alias for this print that waits for a second person, or None."""
    row = standing_row(session, site=site, source=source, fingerprint=fingerprint)
    return None if row is None or row.state != AliasState.AWAITING_SECOND else stored_alias(session, row)


def confirm_by(
    session: Session, record: RecordRow, patient: RosterPatient | None, *, source: str, now: datetime
) -> int | None:
    """Count a use of the alias that confirms this record for this patient, and return its id.

    None if there is no such alias any more, or its patient is not as they were: then a person decides.
    """
    row = standing_row(session, site=record.site, source=source, fingerprint=record.fingerprint)
    if row is None or row.state != AliasState.ACTIVE:
        return None
    changed = change_of(row, patient)
    if changed is not None:
        turn(session, row, AliasState.SUSPENDED, changed, actor=SERVICE, now=now)
        return None
    row.uses, row.last_used_at = row.uses + 1, now
    session.add(row)
    return stored_id(row.id)


def list_aliases(session: Session, *, site: str | None = None, state: AliasState | None = None) -> list[StoredAlias]:
    """Aliases, newest first."""
    query = select(AliasRow)
    if site is not None:
        query = query.where(col(AliasRow.site) == site)
    if state is not None:
        query = query.where(col(AliasRow.state) == state)
    return [stored_alias(session, row) for row in session.exec(query.order_by(col(AliasRow.id).desc()))]


def get(session: Session, alias_id: int) -> StoredAlias:
    """One alias.

    Raises:
        DecisionRefusedError: There is none with this id.
    """
    return stored_alias(session, alias_row(session, alias_id))


def _say_again(session: Session, row: AliasRow, record: RecordRow, *, actor: str, now: datetime) -> None:
    """Another person's word for the same patient makes a waiting alias active; one's own again changes nothing."""
    if row.state != AliasState.AWAITING_SECOND or row.said_by == actor:
        return
    seen = _rivals(match_of(record.match), row.patient_id) | set(codes_of(row.rivals))
    row.rivals, row.seconded_by, row.seconded_at = codes_text(tuple(sorted(seen))), actor, now
    turn(session, row, AliasState.ACTIVE, AliasReason.SECONDED, actor=actor, now=now)


def _can_be_taught(identity: PatientIdentity, patient: RosterPatient) -> bool:
    gone = not patient.active or patient.merged_into is not None
    return not gone and not is_test_patient(identity) and _identifiers(identity) >= 2


def _identifiers(identity: PatientIdentity) -> int:
    """How many independent identifiers are printed: a full name, a birth date, a record number."""
    whole = not {"family", "given"} & set(identity.cut_off)
    full_name = whole and all(len(known_name(part)) > 1 for part in (identity.family, identity.given))
    born = known_birth_date(identity.birth_date) is not None and identity.birth_date_other_reading is None
    return full_name + born + bool(normalise_mrn(identity.mrn))


def _differs(identity: PatientIdentity, patient: RosterPatient) -> bool:
    """Whether a printed family name or birth date is not the patient's own."""
    family, listed = (split_suffix(known_name(name))[0] for name in (identity.family, patient.family))
    days = {known_birth_date(day) for day in (identity.birth_date, identity.birth_date_other_reading)} - {None}
    return bool(family and family != listed) or bool(days and patient.birth_date not in days)


def _rivals(match: MatchDecision, patient_id: str) -> set[str]:
    """Candidates with at least a twentieth of the target's odds; all of them if it was none of the candidates."""
    known = next((one for one in match.candidates if one.patient_id == patient_id), None)
    others = (one for one in match.candidates if one.patient_id != patient_id)
    return {one.patient_id for one in others if known is None or one.score >= known.score - RIVAL_BITS}


def _is_disputed(session: Session, rows: list[AliasRow]) -> bool:
    ids = [row.id for row in rows]
    if not ids:
        return False
    query = select(AliasEventRow.id).where(
        col(AliasEventRow.alias_id).in_(ids), col(AliasEventRow.reason).in_(_DISPUTES)
    )
    return session.exec(query.limit(1)).first() is not None
