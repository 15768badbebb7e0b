"""An answer about self-harm on its way to a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalAlert:
    """A critical answer that a named person must acknowledge. A 0 is never shown as "no risk".

    Attributes:
        alert_id: Row id; all that a notice says about it.
        record_id: Row id of the record, or None until matching has ended and the record is handed over.
        link_id: The critical item, or None when a result level is critical.
        points: Points of the answer; None when it could not be read or is a level.
        unverified: The rule behind it has not been checked against its source.
        notified_at: When the last notice went out, or None.
        notices: How many rungs of the escalation ladder have been told.
        acknowledged_by: Who took it, or None.
    """

    alert_id: int
    site: str
    report_id: int
    record_id: int | None
    instrument: str
    link_id: str | None
    points: int | None
    unverified: bool
    raised_at: datetime
    notified_at: datetime | None
    notices: int
    acknowledged_by: str | None
    acknowledged_at: datetime | None
