"""Answers about self-harm, until a named person has taken each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response

from records.alert import AlertEvent, AlertTelling, CriticalAlert
from records.assessment import SymptomAssessment
from records.case import ReviewCase
from records.errors import DecisionRefusedError, StoreError
from records.patient import RosterPatient
from review import actions, policies
from review.access import Form, SignedIn, Visitor
from review.case_summary import display_name
from review.office import office_of
from review.rendering import go_to, page
from review.routing import Route
from review.viewing import note_view
from store import alert_subjects, alert_tellings, alerts, cases, roster
from store.database import Session

_LISTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """An alert with what is known of the person by now.

    Attributes:
        assessment: The record, or None until it is handed over.
        confirmed: The patient as on the roster, "SURNAME, Given"; None as long as nobody is confirmed.
        perhaps: The best candidate that nobody ruled out, of a record in review; or None.
        patient_id: Of whom of both is shown, or None.
        case: The review case it waits in, or None.
        failing: Steps of an open alert that a channel does not take.
        events: What people did about it, oldest first.
    """

    alert: CriticalAlert
    assessment: SymptomAssessment | None
    confirmed: str | None
    perhaps: RosterPatient | None
    patient_id: str | None
    case: ReviewCase | None
    failing: Sequence[AlertTelling]
    events: Sequence[AlertEvent]


def show_alerts(request: Request, visitor: SignedIn) -> Response:
    """Open alerts first, then those that were taken."""
    office = office_of(request)
    with office.database.session() as session:
        # Without a site for who sees all, so that an alert of a site that left the settings is not lost.
        seen = (None,) if visitor.user.sites is None else tuple(sorted(visitor.user.sites))
        found = [alerts.list_alerts(session, open_only=False, site=site, limit=_LISTED) for site in seen]
        listed = [alert for one in found for alert in one]
        listed = sorted(listed, key=lambda alert: (alert.acknowledged_at is not None, -alert.raised_at.timestamp()))
        failing = alert_tellings.failing(session)
        rows = [_row(session, alert, failing) for alert in listed]
        people = [(row.alert.site, row.patient_id) for row in rows if row.patient_id is not None]
        records = [alert.record_id for alert in listed if alert.record_id is not None]
        note_view(
            session, visitor, "alert.listed", "alert", "all", now=office.now(), shown=len(rows), records=records,
            patients=people,
        )  # fmt: skip
    return page(request, "alerts.html", visitor=visitor, rows=rows, now=office.now())


def acknowledge(request: Request, alert_id: int, visitor: SignedIn, form: Form) -> Response:
    """Take an alert: from now on this person sees to it. A word on what was done is kept, whoever was first."""
    office = office_of(request)
    try:
        taken = actions.acknowledge_alert(
            office.database, alert_id, actor=visitor.user.name, now=office.now(), note=form.get("note", "")
        )
    except (DecisionRefusedError, StoreError) as refusal:
        return _refused(request, visitor, refusal)
    return go_to("/alerts", said="acknowledged" if taken.acknowledged_by == visitor.user.name else "taken")


def not_this_patient(request: Request, alert_id: int, visitor: SignedIn, form: Form) -> Response:
    """Say that an alert is about somebody else than the page showed."""
    office = office_of(request)
    try:
        actions.alert_not_this_patient(
            office.database, alert_id, form.get("patient_id", ""), actor=visitor.user.name, now=office.now()
        )
    except (DecisionRefusedError, StoreError) as refusal:
        return _refused(request, visitor, refusal)
    return go_to("/alerts", said="alert-ruled-out")


def _refused(request: Request, visitor: Visitor, refusal: Exception) -> Response:
    return page(
        request, "message.html", visitor=visitor, status=409, heading="Nothing was changed",
        sentence=str(refusal), link="/alerts", link_words="Back to the alerts",
    )  # fmt: skip


def _row(session: Session, alert: CriticalAlert, failing: Sequence[AlertTelling]) -> AlertRow:
    subject = alert_subjects.subject_of(session, alert)
    patient_id = subject.patient_id if subject else None
    patient = roster.patient(session, alert.site, patient_id) if patient_id else None
    confirmed = subject is not None and subject.is_confirmed
    return AlertRow(
        alert=alert,
        assessment=subject.record.assessment if subject else None,
        confirmed=_banner(patient, patient_id) if confirmed else None,
        perhaps=None if confirmed else patient,
        patient_id=patient_id if patient is not None or confirmed else None,
        case=cases.of_record(session, subject.record.record_id) if subject else None,
        failing=[telling for telling in failing if telling.alert_id == alert.alert_id],
        events=alerts.events(session, alert.alert_id),
    )


def _banner(patient: RosterPatient | None, patient_id: str | None) -> str | None:
    if patient is not None:
        return display_name(patient)
    return "A patient who left the roster" if patient_id else None


ROUTES: Final = (
    Route("GET", "/alerts", show_alerts, policies.READS_ALERTS),
    Route("POST", "/alerts/{alert_id}/acknowledge", acknowledge, policies.TAKES_ALERTS),
    Route("POST", "/alerts/{alert_id}/not-this-patient", not_this_patient, policies.TAKES_ALERTS),
)
