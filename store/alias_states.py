"""The states of an alias, its history, and where its rows are found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.decision import MatchDecision
from records.errors import DecisionRefusedError
from store import audit
from store.context import stored_id
from store.learning_tables import AliasEventRow, AliasRow
from store.serialised import codes_of, match_of


class AliasState(StrEnum):
    """How far an alias is trusted. Only an active one confirms; the last two are for good."""

    ACTIVE = "active"
    AWAITING_SECOND = "awaiting-second"  # one person's word is not enough here
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class AliasReason(StrEnum):
    """Why an alias came into its state."""

    TAUGHT = "taught"
    SECONDED = "seconded"
    SECOND_TAKEN_BACK = "second-taken-back"
    PATIENT_CHANGED = "patient-changed"
    PATIENT_MERGED = "patient-merged"
    PATIENT_REMOVED = "patient-removed"
    PATIENT_INACTIVE = "patient-inactive"
    MRN_REASSIGNED = "mrn-reassigned"
    NEWCOMER = "newcomer"
    REVIEWERS_DISAGREE = "reviewers-disagree"
    UNUSED = "unused"
    VETOED = "vetoed"
    BLIND_AUDIT = "blind-audit"
    REVOKED = "revoked"


STANDING: Final = (AliasState.ACTIVE, AliasState.AWAITING_SECOND)
SERVICE: Final = "service"
_ACTIONS: Final = {
    AliasState.ACTIVE: "alias.activated",
    AliasState.AWAITING_SECOND: "alias.taught",
    AliasState.SUSPENDED: "alias.suspended",
    AliasState.REVOKED: "alias.revoked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlias:
    """One alias with its history.

    Attributes:
        source: The source whose prints it stands for.
        patient_id: The roster patient that the print is.
        rivals: Patients who were nearly as likely when it was said.
        evidence: The match as it was shown to the person who decided.
        model: Version of the program and of its calibration at that time.
        record_id: The record it was said of.
        seconded_by: Who said it again where one person's word was not enough, or None.
        uses: Records confirmed by it.
        events: What became of it, oldest first.
    """

    alias_id: int
    site: str
    source: str
    patient_id: str
    rivals: tuple[str, ...]
    evidence: MatchDecision
    model: str
    record_id: int
    state: AliasState
    said_by: str
    said_at: datetime
    seconded_by: str | None
    uses: int
    last_used_at: datetime | None
    events: tuple[AliasEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasEvent:
    """One step of an alias: who brought it into which state, and why."""

    at: datetime
    actor: str
    state: AliasState
    reason: AliasReason


def alias_row(session: Session, alias_id: int) -> AliasRow:
    """The row of an alias, for changing it.

    Raises:
        DecisionRefusedError: There is none with this id.
    """
    row = session.get(AliasRow, alias_id)
    if row is None:
        raise DecisionRefusedError(f"There is no alias {alias_id}.", next_step="See “scorebridge alias list”.")
    return row


def of_print(session: Session, site: str, fingerprint: str) -> list[AliasRow]:
    """Every alias that was ever said of a print, of whatever source, oldest first."""
    query = select(AliasRow).where(col(AliasRow.site) == site, col(AliasRow.fingerprint) == fingerprint)
    return list(session.exec(query.order_by(col(AliasRow.id))))


def standing_rows(session: Session, site: str) -> list[AliasRow]:
    """The aliases of a site that are active or wait for a second person."""
    query = select(AliasRow).where(col(AliasRow.site) == site, col(AliasRow.state).in_(STANDING))
    return list(session.exec(query.order_by(col(AliasRow.id))))


def standing_row(session: Session, *, site: str, source: str, fingerprint: str) -> AliasRow | None:
    """The one alias of a source that stands for a print, or None."""
    rows = of_print(session, site, fingerprint)
    return next((row for row in rows if row.source == source and row.state in STANDING), None)


def turn(session: Session, row: AliasRow, state: AliasState, reason: AliasReason, *, actor: str, now: datetime) -> None:
    """Bring an alias into a state, with its event and its audit event."""
    row.state = state
    session.add(row)
    session.add(AliasEventRow(alias_id=stored_id(row.id), at=now, actor=actor, state=state, reason=reason))
    session.flush()
    event = AuditEvent(
        actor=actor,
        action="alias.taught" if reason is AliasReason.TAUGHT else _ACTIONS[state],
        object_kind="alias",
        object_id=str(row.id),
        detail=(("state", state), ("reason", reason), ("record", str(row.record_id))),
    )
    audit.append(session, event, now=now)


def stored_alias(session: Session, row: AliasRow) -> StoredAlias:
    """The frozen value of a row, with its events."""
    events = session.exec(
        select(AliasEventRow).where(col(AliasEventRow.alias_id) == row.id).order_by(col(AliasEventRow.id))
    )
    return StoredAlias(
        alias_id=stored_id(row.id),
        site=row.site,
        source=row.source,
        patient_id=row.patient_id,
        rivals=codes_of(row.rivals),
        evidence=match_of(row.evidence),
        model=row.model,
        record_id=row.record_id,
        state=AliasState(row.state),
        said_by=row.said_by,
        said_at=row.said_at,
        seconded_by=row.seconded_by,
        uses=row.uses,
        last_used_at=row.last_used_at,
        events=tuple(
            AliasEvent(at=one.at, actor=one.actor, state=AliasState(one.state), reason=AliasReason(one.reason))
            for one in events
        ),
    )
