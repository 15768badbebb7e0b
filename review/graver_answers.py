"""An answer about self-harm that a person finds graver than it was read: it is alerted as if it had been printed so."""

from __future__ import annotations

from datetime import datetime

from parsers.instrument_library import load_instruments
from records.assessment import SymptomAssessment
from review.correction import critical_item
from store import alerts, known
from store.database import Session
from store.kept_records import StoredRecord
from store.keys import Keys


def raise_if_graver(
    session: Session, kept: StoredRecord, revised: SymptomAssessment, *, keys: Keys, now: datetime
) -> None:
    """Raise an alert, in the caller's transaction, if `revised` is graver than the record as it stands."""
    now_said = critical_item(revised, load_instruments())
    if now_said is None:
        return
    earlier = critical_item(kept.assessment, load_instruments())
    if earlier is not None and earlier.rank >= now_said.rank:
        return
    alerts.raise_alert(
        session,
        alert_key=known.alert_key(
            keys,
            kept.site,
            kept.as_read,
            fingerprint=kept.fingerprint,
            report_id=kept.report_id,
            position=kept.position,
        ),
        site=kept.site,
        report_id=kept.report_id,
        position=kept.position,
        instrument=revised.instrument or "unknown",
        link_id=now_said.link_id,
        points=now_said.points,
        unverified=revised.critical_unverified,
        now=now,
    )
