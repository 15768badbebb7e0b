"""Answers about self-harm on their way to a person: raised once, open until a named person has taken them.

What each channel was told of them is in `store.alert_tellings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, func, select

from records.alert import AlertEvent, CriticalAlert
from records.audit import AuditEvent
from records.errors import DecisionRefusedError
from store import audit
from store.alert_tables import AlertEventRow, AlertTaskRow
from store.context import stored_id
from store.kept_records import record_row
from store.serialised import encodable
from store.tables import AlertRow, RecordRow

_HIGHEST: Final = 1_000_000
_TAKEN, _NOTED, _RULED_OUT = "taken", "noted", "patient-ruled-out"


def raise_alert(
    session: Session,
    *,
    alert_key: str,
    site: str,
    report_id: int,
    position: int,
    instrument: str,
    link_id: str | None,
    points: int | None,
    unverified: bool,
    now: datetime,
) -> CriticalAlert | None:
    """Raise an alert, unless the same key was raised before with as many points or more: then None.

    Args:
        alert_key: Stands for one critical answer of one assessment, whichever file it is printed in.
        position: Place of the record in its report, from 0; the record itself may not be kept yet.
        points: Points of the answer; None (unreadable, or a result level) counts as the highest.
    """
    raised = session.exec(select(AlertRow.points).where(col(AlertRow.alert_key) == alert_key)).all()
    if any(_rank(earlier) >= _rank(points) for earlier in raised):
        return None
    record = session.exec(
        select(RecordRow.id).where(col(RecordRow.report_id) == report_id, col(RecordRow.position) == position)
    ).first()
    row = AlertRow(
        alert_key=alert_key,
        site=site,
        report_id=report_id,
        position=position,
        record_id=record,
        instrument=instrument,
        link_id=link_id,
        points=points,
        unverified=unverified,
        raised_at=now,
    )
    session.add(row)
    session.flush()
    audit_alert(session, row, "alert.raised", actor="service", now=now)
    return alert_of(row)


def acknowledge(session: Session, alert_id: int, *, actor: str, now: datetime, note: str = "") -> CriticalAlert:
    """A named person has taken the alert; a second one changes nothing and sees who was first.

    A note is kept whoever was first: what somebody did about an answer is never lost.

    Args:
        note: What was done, in the person's own words. It stays in the store, for it may name a patient.
    """
    row = alert_row(session, alert_id)
    if row.acknowledged_at is None:
        row.acknowledged_by, row.acknowledged_at = actor, now
        session.add(row)
        session.flush()
        _keep(session, row, _TAKEN, actor=actor, now=now, note=note)
        audit_alert(session, row, "alert.acknowledged", actor=actor, now=now)
    elif note.strip():
        add_note(session, alert_id, note=note, actor=actor, now=now)
    return alert_of(row)


def add_note(session: Session, alert_id: int, *, note: str, actor: str, now: datetime) -> None:
    """Keep what somebody did about an alert. The note stays in the store, for it may name a patient."""
    row = alert_row(session, alert_id)
    _keep(session, row, _NOTED, actor=actor, now=now, note=note)
    audit_alert(session, row, "alert.noted", actor=actor, now=now)


def begin_again(session: Session, alert_id: int, *, patient_id: str, actor: str, now: datetime) -> CriticalAlert:
    """The patient shown for it is not the right one: the alert is open, and its ladder begins anew.

    Whoever took it has seen to somebody else, so it is nobody's again.
    """
    row = alert_row(session, alert_id)
    _keep(session, row, _RULED_OUT, actor=actor, now=now, patient_id=patient_id)
    audit_alert(session, row, "alert.patient-ruled-out", actor=actor, now=now, detail=(("round", str(row.round)),))
    row.round, row.begun_at, row.notices, row.notified_at = row.round + 1, now, 0, None
    row.acknowledged_by = row.acknowledged_at = None
    session.add(row)
    for task in session.exec(select(AlertTaskRow).where(col(AlertTaskRow.alert_id) == alert_id)):
        task.settled = False
        session.add(task)
    session.flush()
    return alert_of(row)


def begin_again_of(
    session: Session, record_ids: Sequence[int], *, patient_id: str, actor: str, now: datetime
) -> list[int]:
    """The patient of these records was the wrong one: `begin_again` for each of their alerts; the alerts' numbers."""
    found = session.exec(select(AlertRow.id).where(col(AlertRow.record_id).in_(record_ids)).order_by(col(AlertRow.id)))
    numbers = [stored_id(number) for number in found]
    for number in numbers:
        begin_again(session, number, patient_id=patient_id, actor=actor, now=now)
    return numbers


def events(session: Session, alert_id: int) -> list[AlertEvent]:
    """What people did about an alert, oldest first."""
    query = select(AlertEventRow).where(col(AlertEventRow.alert_id) == alert_id).order_by(col(AlertEventRow.id))
    return [
        AlertEvent(
            alert_id=row.alert_id,
            round=row.round,
            at=row.at,
            actor=row.actor,
            kind=row.kind,
            patient_id=row.patient_id,
            note=row.note,
        )
        for row in session.exec(query)
    ]


def newest(session: Session) -> int:
    """The highest number of an alert, or 0."""
    return session.exec(select(func.max(col(AlertRow.id)))).one() or 0


def get(session: Session, alert_id: int) -> CriticalAlert:
    """One alert.

    Raises:
        DecisionRefusedError: There is none with this number.
    """
    return alert_of(alert_row(session, alert_id))


def list_alerts(
    session: Session, *, open_only: bool, site: str | None = None, limit: int | None = 200
) -> list[CriticalAlert]:
    """Alerts, those nobody has taken first, then the newest."""
    query = select(AlertRow)
    if open_only:
        query = query.where(col(AlertRow.acknowledged_at).is_(None))
    if site is not None:
        query = query.where(col(AlertRow.site) == site)
    order = (col(AlertRow.acknowledged_at).is_not(None), col(AlertRow.id).desc())
    return [alert_of(row) for row in session.exec(query.order_by(*order).limit(limit))]


def of_record(session: Session, record_id: int) -> list[CriticalAlert]:
    """Alerts of one record, oldest first."""
    record_row(session, record_id)
    query = select(AlertRow).where(col(AlertRow.record_id) == record_id).order_by(col(AlertRow.id))
    return [alert_of(row) for row in session.exec(query)]


def _rank(points: int | None) -> int:
    return _HIGHEST if points is None else points


def alert_row(session: Session, alert_id: int) -> AlertRow:
    """The row of an alert, for changing it.

    Raises:
        DecisionRefusedError: There is none with this number.
    """
    row = session.get(AlertRow, alert_id)
    if row is None:
        raise DecisionRefusedError(f"There is no alert {alert_id}.", next_step="Look at the list of alerts.")
    return row


def alert_of(row: AlertRow) -> CriticalAlert:
    """The frozen value of a row."""
    return CriticalAlert(
        alert_id=stored_id(row.id),
        site=row.site,
        report_id=row.report_id,
        record_id=row.record_id,
        instrument=row.instrument,
        link_id=row.link_id,
        points=row.points,
        unverified=row.unverified,
        raised_at=row.raised_at,
        round=row.round,
        begun_at=row.begun_at or row.raised_at,
        notified_at=row.notified_at,
        notices=row.notices,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
    )


def audit_alert(
    session: Session,
    row: AlertRow,
    action: str,
    *,
    actor: str,
    now: datetime,
    detail: tuple[tuple[str, str], ...] = (),
) -> None:
    """Chain what happened to an alert; `detail` holds codes and counts only."""
    event = AuditEvent(actor=actor, action=action, object_kind="alert", object_id=str(row.id), detail=detail)
    audit.append(session, event, now=now)


def _keep(
    session: Session,
    row: AlertRow,
    kind: str,
    *,
    actor: str,
    now: datetime,
    note: str = "",
    patient_id: str | None = None,
) -> None:
    session.add(
        AlertEventRow(
            alert_id=stored_id(row.id),
            round=row.round,
            at=now,
            actor=actor,
            kind=kind,
            patient_id=patient_id,
            note=encodable(note.strip()),
        )
    )
    session.flush()
