"""The modes that people have chosen for destinations of which the settings file names none, and who may go live."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.errors import DecisionRefusedError
from records.submission import DestinationMode
from store import audit, shadow_signing
from store.chosen_tables import ChosenModeRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenMode:
    """The mode that somebody has chosen for a destination, and when."""

    mode: DestinationMode
    chosen_by: str
    chosen_at: datetime


def chosen(session: Session, destination: str) -> ChosenMode | None:
    """What was chosen last, or None if nobody has chosen anything or it was given up."""
    query = select(ChosenModeRow).where(col(ChosenModeRow.destination) == destination)
    row = session.exec(query.order_by(col(ChosenModeRow.id).desc()).limit(1)).first()
    if row is None or not row.mode:
        return None
    return ChosenMode(mode=DestinationMode(row.mode), chosen_by=row.chosen_by, chosen_at=row.chosen_at)


def latest_id(session: Session) -> int:
    """Number of the latest choice of all; 0 if there never was one. It grows with every choice."""
    return session.exec(select(func.max(ChosenModeRow.id))).one() or 0


def unmet(session: Session, mode: DestinationMode, *, sites: Collection[str]) -> tuple[str, ...]:
    """What is missing before a destination may go into a mode, in sentences; empty if nothing is.

    To go live a comparison with what staff typed must be signed for every site, and still be as it was signed.
    """
    if mode is not DestinationMode.LIVE:
        return ()
    signed = {site for one in shadow_signing.sign_offs(session) if one.intact for site in one.snapshot.sites}
    missing = [site for site in sites if site not in signed]
    if not missing:
        return ()
    return (f"No comparison with what staff typed is signed for {', '.join(missing)}.",)


def choose(
    session: Session,
    destination: str,
    mode: DestinationMode,
    *,
    before: DestinationMode,
    faults: Sequence[str],
    sites: Collection[str],
    actor: str,
    now: datetime,
) -> None:
    """Choose a destination's mode; the service takes it up by itself. The mode it is in already changes nothing.

    Args:
        before: The mode in force.
        faults: What the settings say against it, in sentences.
        sites: The sites whose records go there.

    Raises:
        DecisionRefusedError: Something is missing; the mode stays.
    """
    if mode is before:
        return
    missing = (*faults, *unmet(session, mode, sites=sites))
    if missing:
        raise DecisionRefusedError(
            f"The mode of {destination} stays {before.value}. {' '.join(missing)}",
            next_step="Mend this first, or set the mode in scorebridge.toml.",
        )
    _add(session, destination, mode.value, actor=actor, now=now)
    detail = (("mode", mode.value), ("before", before.value))
    _audit(session, destination, "destination.mode-chosen", detail, actor=actor, now=now)


def give_up(session: Session, destination: str, *, actor: str, now: datetime) -> None:
    """Forget what was chosen, so that it does not come back once the settings file no longer names a mode."""
    given_up = chosen(session, destination)
    if given_up is not None:
        _add(session, destination, "", actor=actor, now=now)
        detail = (("mode", given_up.mode.value),)
        _audit(session, destination, "destination.mode-given-up", detail, actor=actor, now=now)


def _add(session: Session, destination: str, mode: str, *, actor: str, now: datetime) -> None:
    session.add(ChosenModeRow(destination=destination, mode=mode, chosen_by=actor, chosen_at=now))
    session.flush()


def _audit(
    session: Session, destination: str, action: str, detail: tuple[tuple[str, str], ...], *, actor: str, now: datetime
) -> None:
    event = AuditEvent(actor=actor, action=action, object_kind="destination", object_id=destination, detail=detail)
    audit.append(session, event, now=now)
