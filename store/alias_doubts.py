"""When an alias may no longer confirm: what it rests on has changed, or a person says otherwise.

What it confirmed before stays where it is, with a notice where somebody doubts it; `store.alias_recall` takes it back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, func, select

from matching.aliases import roster_fingerprint
from matching.normalisation import normalise_mrn, strip_mrn_zeros
from records.patient import RosterPatient
from store import notices
from store.alias_states import (
    SERVICE,
    STANDING,
    AliasReason,
    AliasState,
    alias_row,
    of_print,
    standing_row,
    standing_rows,
    turn,
)
from store.learning_tables import AliasRow, AutomaticMatchRow
from store.serialised import codes_of

_DOUBTED: Final = "alias-doubted"


def suspend_met(
    session: Session,
    patient_of: Callable[[str], RosterPatient | None],
    *,
    site: str,
    source: str,
    fingerprint: str,
    now: datetime,
) -> None:
    """Suspend the alias that matching would not replay, if it still stands.

    Args:
        patient_of: A patient of the site's roster as they are now, or None if they left it.
    """
    row = standing_row(session, site=site, source=source, fingerprint=fingerprint)
    if row is not None and row.state == AliasState.ACTIVE:
        reason = change_of(row, patient_of(row.patient_id)) or AliasReason.NEWCOMER
        turn(session, row, AliasState.SUSPENDED, reason, actor=SERVICE, now=now)


def suspend_outdated(session: Session, site: str, patients: Mapping[str, RosterPatient], *, now: datetime) -> int:
    """Suspend every alias of the site that a new roster has overtaken; return how many.

    Its patient changed, was merged, became inactive or left, or the printed record number now belongs to somebody else.

    Args:
        patients: The whole new roster, by patient id.
    """
    rows = standing_rows(session, site)
    if not rows:
        return 0
    holders: dict[str, set[str]] = {}
    wanted = {row.mrn for row in rows if row.mrn}
    for patient in patients.values() if wanted else ():
        if patient.mrn and (number := strip_mrn_zeros(normalise_mrn(patient.mrn))) in wanted:
            holders.setdefault(number, set()).add(patient.patient_id)
    suspended = 0
    for row in rows:
        reason = change_of(row, patients.get(row.patient_id))
        others = holders.get(row.mrn, set()) - {row.patient_id, *codes_of(row.rivals)}
        if reason is None and others:
            reason = AliasReason.MRN_REASSIGNED
        if reason is not None:
            turn(session, row, AliasState.SUSPENDED, reason, actor=SERVICE, now=now)
            suspended += 1
    return suspended


def suspend_unused(session: Session, *, before: datetime, now: datetime) -> int:
    """Suspend every alias that was neither said nor used since `before`; return how many."""
    last = func.coalesce(col(AliasRow.last_used_at), col(AliasRow.seconded_at), col(AliasRow.said_at))
    query = select(AliasRow).where(col(AliasRow.state).in_(STANDING), last < before)
    rows = session.exec(query).all()
    for row in rows:
        turn(session, row, AliasState.SUSPENDED, AliasReason.UNUSED, actor=SERVICE, now=now)
    return len(rows)


def revoke_vetoed(session: Session, *, site: str, fingerprint: str, patient_id: str, actor: str, now: datetime) -> None:
    """A person says that this print is not this patient: no alias may say so any more, of whatever source.

    Records that such an alias confirmed stay, with a notice: `alias revoke` takes them back.
    """
    for row in of_print(session, site, fingerprint):
        if row.patient_id == patient_id and row.state != AliasState.REVOKED:
            turn(session, row, AliasState.REVOKED, AliasReason.VETOED, actor=actor, now=now)
            _tell(session, row, now=now)


def revoke_taught_by(session: Session, record_id: int, *, actor: str, now: datetime) -> None:
    """What was said of the patient of this record is taken back: the alias that was made of it may not stand."""
    taught = select(AliasRow).where(col(AliasRow.record_id) == record_id, col(AliasRow.state).in_(STANDING))
    for row in session.exec(taught).all():
        turn(session, row, AliasState.REVOKED, AliasReason.REVOKED, actor=actor, now=now)
        _tell(session, row, now=now)


def doubt_used(session: Session, alias_id: int, reason: AliasReason, *, actor: str, now: datetime) -> None:
    """Suspend an alias that may have confirmed a wrong record, if it still stands."""
    row = alias_row(session, alias_id)
    if row.state in STANDING:
        doubt(session, row, reason, actor=actor, now=now)


def doubt(session: Session, row: AliasRow, reason: AliasReason, *, actor: str, now: datetime) -> None:
    """Suspend an alias, and tell the operator if it has confirmed records."""
    turn(session, row, AliasState.SUSPENDED, reason, actor=actor, now=now)
    _tell(session, row, now=now)


def mark_revoked(session: Session, row: AliasRow, *, actor: str, now: datetime) -> None:
    """Revoke an alias for good. What it confirmed is `store.alias_recall`'s."""
    if row.state != AliasState.REVOKED:
        turn(session, row, AliasState.REVOKED, AliasReason.REVOKED, actor=actor, now=now)
    notices.resolve(session, _DOUBTED, f"alias {row.id}", now=now)


def change_of(row: AliasRow, patient: RosterPatient | None) -> AliasReason | None:
    """What has become of an alias's patient, or None if they are as they were."""
    if patient is None or patient.patient_id != row.patient_id:
        return AliasReason.PATIENT_REMOVED
    if patient.merged_into is not None:
        return AliasReason.PATIENT_MERGED
    if not patient.active:
        return AliasReason.PATIENT_INACTIVE
    return None if roster_fingerprint(patient) == row.roster_fingerprint else AliasReason.PATIENT_CHANGED


def _tell(session: Session, row: AliasRow, *, now: datetime) -> None:
    confirmed = session.exec(
        select(func.count()).where(
            col(AutomaticMatchRow.alias_id) == row.id, col(AutomaticMatchRow.taken_back_at).is_(None)
        )
    ).one()
    if confirmed:
        sentence = (
            f"A person doubts alias {row.id} of site {row.site}, which has confirmed {confirmed} records. "
            f"See “scorebridge alias show {row.id}”; “scorebridge alias revoke {row.id}” takes them back."
        )
        notices.leave(session, _DOUBTED, f"alias {row.id}", sentence, now=now)
