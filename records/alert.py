"""An answer about self-harm on its way to a person."""

from __future__ import annotations

from dataclasses import dataclass, field
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
        round: 1, then counted up each time a person says "not this patient": the ladder begins anew.
        begun_at: When the ladder of this round began; of the first round, when the alert was raised.
        notified_at: When a channel last took it, or None.
        notices: How many steps of the ladder have been told in this round.
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
    round: int
    begun_at: datetime
    notified_at: datetime | None
    notices: int
    acknowledged_by: str | None
    acknowledged_at: datetime | None

    @property
    def is_ruled_out(self) -> bool:
        """Whether a person has said of a patient shown for it that it is not this one."""
        return self.round > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTelling:
    """One step of an alert's ladder for one channel.

    Attributes:
        step: 1 for the first rung of the ladder; repeats of the last rung count on.
        told_at: When the channel took it, or None while it fails.
        receipt: What the channel is known by it from, for instance the id of a mail; or None.
        fault: Code of the last failure while it fails, or None.
    """

    alert_id: int
    round: int
    channel: str
    step: int
    attempts: int
    first_tried_at: datetime
    told_at: datetime | None
    receipt: str | None
    fault: str | None

    @property
    def is_told(self) -> bool:
        """Whether the channel took it."""
        return self.told_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """What a person did about an alert.

    Attributes:
        kind: "taken", "noted" or "patient-ruled-out".
        patient_id: Who was ruled out, or None.
        note: In the person's own words; may be empty. It may name a patient, so it is shown to people and never sent.
    """

    alert_id: int
    round: int
    at: datetime
    actor: str
    kind: str
    patient_id: str | None
    note: str = field(repr=False)
