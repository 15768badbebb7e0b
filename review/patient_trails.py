"""Look at what was ever told about one patient; the look is an event of the audit trail."""

from __future__ import annotations

from datetime import datetime

from records.audit import AuditEvent
from store import audit
from store.audit import Shown
from store.database import Database
from store.patient_trail import PatientTrail, patient_trail


def look(database: Database, *, site: str, patient_id: str, actor: str, now: datetime) -> PatientTrail:
    """The trail of one patient, and the event of having looked at it, in one transaction.

    The event names the records, not the patient: the audit trail is exported, and holds nobody's id.
    """
    with database.session() as session:
        found = patient_trail(session, site=site, patient_id=patient_id)
        records = sorted({entry.record_id for entry in found.entries()})
        viewed = AuditEvent(
            actor=actor,
            action="patient.trail-viewed",
            object_kind="site",
            object_id=site,
            detail=(("records", " ".join(map(str, records))),),
        )
        shown = Shown(records=frozenset(records), patients=frozenset({(site, patient_id)}))
        audit.append_view(session, viewed, shown, now=now)
        return found
