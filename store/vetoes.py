"""A person's "not this patient": it beats any score, and any earlier word that it was this patient."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from store import alias_doubts
from store.tables import VetoRow


def say(session: Session, *, site: str, fingerprint: str, patient_id: str, actor: str, now: datetime) -> None:
    """Keep that a print is not a patient; an alias that says otherwise is revoked. A second time changes nothing."""
    if not stands(session, site=site, fingerprint=fingerprint, patient_id=patient_id):
        session.add(VetoRow(site=site, fingerprint=fingerprint, patient_id=patient_id, actor=actor, said_at=now))
        session.flush()
    alias_doubts.revoke_vetoed(session, site=site, fingerprint=fingerprint, patient_id=patient_id, actor=actor, now=now)


def stands(session: Session, *, site: str, fingerprint: str, patient_id: str) -> bool:
    """Whether somebody has said that this print is not this patient."""
    return session.get(VetoRow, (site, fingerprint, patient_id)) is not None


def withdraw(session: Session, *, site: str, fingerprint: str, patient_id: str) -> bool:
    """Take a veto back; False if there was none.

    Whoever now says "it is this patient after all" has looked again; the later word counts.
    """
    veto = session.get(VetoRow, (site, fingerprint, patient_id))
    if veto is None:
        return False
    session.delete(veto)
    session.flush()
    return True
