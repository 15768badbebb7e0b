"""Answers about self-harm, until a named person has taken each of them."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request, Response

from records.alert import CriticalAlert
from records.assessment import SymptomAssessment
from records.case import ReviewCase
from records.errors import DecisionRefusedError, StoreError
from records.patient import RosterPatient
from review import actions
from review.access import SignedIn
from review.case_summary import display_name
from review.office import office_of
from review.rendering import go_to, page
from review.viewing import note_view
from store import alerts, cases, kept_records, roster
from store.database import Session

_LISTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """An alert with what is known of the person by now.

    Attributes:
        assessment: The record, or None until it is handed over.
        confirmed: The patient as on the roster, "SURNAME, Given"; None as long as nobody is confirmed.
        case: The review case it waits in, or None.
    """

    alert: CriticalAlert
    assessment: SymptomAssessment | None
    confirmed: str | None
    case: ReviewCase | None


def show_alerts(request: Request, visitor: SignedIn) -> Response:
    """Open alerts first, then those that were taken."""
    office = office_of(request)
    with office.database.session() as session:
        listed = alerts.list_alerts(session, open_only=False, limit=_LISTED)
        listed = sorted(listed, key=lambda alert: (alert.acknowledged_at is not None, -alert.raised_at.timestamp()))
        rows = [_row(session, alert) for alert in listed]
        note_view(session, visitor, "alert.listed", "alert", "all", now=office.now(), shown=len(rows))
    return page(request, "alerts.html", visitor=visitor, rows=rows, now=office.now())


def acknowledge(request: Request, alert_id: int, visitor: SignedIn) -> Response:
    """Take an alert: from now on this person sees to it."""
    office = office_of(request)
    try:
        taken = actions.acknowledge_alert(office.database, alert_id, actor=visitor.user.name, now=office.now())
    except (DecisionRefusedError, StoreError) as refusal:
        return page(
            request, "message.html", visitor=visitor, status=409, heading="Nothing was changed",
            sentence=str(refusal), link="/alerts", link_words="Back to the alerts",
        )  # fmt: skip
    return go_to("/alerts", said="acknowledged" if taken.acknowledged_by == visitor.user.name else "taken")


def _row(session: Session, alert: CriticalAlert) -> AlertRow:
    if alert.record_id is None:
        return AlertRow(alert=alert, assessment=None, confirmed=None, case=None)
    record = kept_records.get(session, alert.record_id)
    patient = roster.patient(session, record.site, record.patient_id) if record.patient_id else None
    return AlertRow(
        alert=alert,
        assessment=record.assessment,
        confirmed=_banner(patient, record.patient_id),
        case=cases.of_record(session, alert.record_id),
    )


def _banner(patient: RosterPatient | None, patient_id: str | None) -> str | None:
    if patient is not None:
        return display_name(patient)
    return "A patient who left the roster" if patient_id else None
