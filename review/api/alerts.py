"""Alerts: answers about self-harm, until a named person has taken each of them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fastapi import Request

from records.alert import AlertEvent, CriticalAlert
from review import actions, policies
from review.api.routing import ApiRoute
from review.api.shapes import After, Caller, Limit, Part, Shape, Text, Wish, Word, part
from review.office import office_of
from review.viewing import note_view
from store import alert_subjects, alert_tellings, alerts, listings
from store.database import Session


class ListedAlert(Shape):
    """An alert without whom it is about. A 0 is never "no risk"."""

    alert_id: int
    site: str
    report_id: int
    record_id: int | None
    instrument: str
    link_id: str | None
    points: int | None
    """Null where the answer could not be read, or is a level."""
    unverified: bool
    raised_at: datetime
    round: int
    notified_at: datetime | None
    notices: int
    acknowledged_by: str | None
    acknowledged_at: datetime | None


class Telling(Shape):
    """One step of the ladder for one channel."""

    channel: str
    round: int
    step: int
    attempts: int
    told_at: datetime | None
    fault: str | None


class Happening(Shape):
    """What a person did about an alert."""

    at: datetime
    actor: str
    kind: str
    patient_id: str | None
    note: str


class AlertShown(ListedAlert):
    """An alert with whom it is about, as far as that is known."""

    patient_id: str | None
    is_confirmed: bool
    """Whether a person or the matching is sure of the patient."""
    told: tuple[Telling, ...]
    events: tuple[Happening, ...]


class Acknowledgement(Wish):
    """What was done, in the person's own words; it is never sent anywhere."""

    note: Text = ""


class NotAbout(Wish):
    """Whom the alert was shown for and is not about."""

    patient_id: Word


def list_alerts(
    request: Request, caller: Caller, is_open: bool | None = None, after: After = 0, limit: Limit = 50
) -> Part[ListedAlert]:
    """Alerts by their id, without whom they are about."""
    with office_of(request).database.reading() as session:
        found = listings.alerts_after(session, sites=caller.user.sites, after=after, limit=limit + 1, is_open=is_open)
    return part((ListedAlert.model_validate(one) for one in found), key="alert_id", limit=limit)


def get_alert(request: Request, alert_id: int, caller: Caller) -> AlertShown:
    """One alert with whom it is about, who was told and what was done. The look is kept in the audit trail."""
    office = office_of(request)
    with office.database.session() as session:
        shown = _shown(session, alerts.get(session, alert_id))
        note_view(session, caller, "alert.viewed", "alert", str(alert_id), now=office.now())
    return shown


def acknowledge_alert(request: Request, alert_id: int, caller: Caller, wish: Acknowledgement) -> ListedAlert:
    """Take an alert: the user of the token answers for it, and nobody else is notified any more.

    A second one changes nothing and sees in `acknowledged_by` who was first. A program must not take an alert that no
    person has seen.
    """
    office = office_of(request)
    taken = actions.acknowledge_alert(
        office.database, alert_id, actor=caller.user.name, now=office.now(), note=wish.note
    )
    return ListedAlert.model_validate(taken)


def rule_out_for_alert(request: Request, alert_id: int, caller: Caller, wish: NotAbout) -> ListedAlert:
    """Say that an alert is not about the patient shown for it: matching and telling begin anew."""
    office = office_of(request)
    changed = actions.alert_not_this_patient(
        office.database, alert_id, wish.patient_id, actor=caller.user.name, now=office.now()
    )
    return ListedAlert.model_validate(changed)


def _shown(session: Session, alert: CriticalAlert) -> AlertShown:
    subject = alert_subjects.subject_of(session, alert)
    return AlertShown.model_validate(
        {name: getattr(alert, name) for name in ListedAlert.model_fields}
        | {
            "patient_id": subject.patient_id if subject else None,
            "is_confirmed": subject is not None and subject.is_confirmed,
            "told": [Telling.model_validate(one) for one in alert_tellings.of_alert(session, alert.alert_id)],
            "events": [_happening(one) for one in alerts.events(session, alert.alert_id)],
        }
    )


def _happening(event: AlertEvent) -> Happening:
    return Happening.model_validate(event)


ROUTES: Final = (
    ApiRoute("GET", "/alerts", list_alerts, policies.READS_ALERTS),
    ApiRoute("GET", "/alerts/{alert_id}", get_alert, policies.READS_ALERTS),
    ApiRoute("POST", "/alerts/{alert_id}/acknowledge", acknowledge_alert, policies.TAKES_ALERTS, changes=True),
    ApiRoute("POST", "/alerts/{alert_id}/not-this-patient", rule_out_for_alert, policies.TAKES_ALERTS, changes=True),
)
