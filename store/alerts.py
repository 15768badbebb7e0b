"""Answers about self-harm on their way to a person: raised once, repeated until somebody has taken them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, and_, col, or_, select

from records.alert import CriticalAlert
from records.audit import AuditEvent
from records.errors import StoreError
from store import audit
from store.context import stored_id
from store.kept_records import record_row
from store.tables import AlertRow, RecordRow

_HIGHEST = 1_000_000


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
    _audit(session, row, "alert.raised", actor="service", now=now)
    return _alert(row)


def due_notices(session: Session, *, now: datetime, escalate_after: timedelta, steps: int) -> list[CriticalAlert]:
    """Alerts nobody has taken whose next notice is due, oldest first.

    The first notice is due at once, each further one `escalate_after` the one before, until `steps` rungs of the
    ladder have been told.
    """
    told_long_ago = and_(col(AlertRow.notices) < steps, col(AlertRow.notified_at) <= now - escalate_after)
    query = select(AlertRow).where(
        col(AlertRow.acknowledged_at).is_(None), or_(col(AlertRow.notified_at).is_(None), told_long_ago)
    )
    return [_alert(row) for row in session.exec(query.order_by(col(AlertRow.id)))]


def mark_notified(session: Session, alert_id: int, *, now: datetime) -> None:
    """A notice of the alert went out: one more rung has been told."""
    row = _row(session, alert_id)
    row.notified_at, row.notices = now, row.notices + 1
    session.add(row)
    session.flush()
    _audit(session, row, "alert.notified", actor="service", now=now, detail=(("notice", str(row.notices)),))


def acknowledge(session: Session, alert_id: int, *, actor: str, now: datetime) -> CriticalAlert:
    """A named person has taken the alert; a second one changes nothing and sees who was first."""
    row = _row(session, alert_id)
    if row.acknowledged_at is None:
        row.acknowledged_by, row.acknowledged_at = actor, now
        session.add(row)
        session.flush()
        _audit(session, row, "alert.acknowledged", actor=actor, now=now)
    return _alert(row)


def list_alerts(session: Session, *, open_only: bool, site: str | None = None, limit: int = 200) -> list[CriticalAlert]:
    """Alerts, those nobody has taken first, then the newest."""
    query = select(AlertRow)
    if open_only:
        query = query.where(col(AlertRow.acknowledged_at).is_(None))
    if site is not None:
        query = query.where(col(AlertRow.site) == site)
    order = (col(AlertRow.acknowledged_at).is_not(None), col(AlertRow.id).desc())
    return [_alert(row) for row in session.exec(query.order_by(*order).limit(limit))]


def of_record(session: Session, record_id: int) -> list[CriticalAlert]:
    """Alerts of one record, oldest first."""
    record_row(session, record_id)
    query = select(AlertRow).where(col(AlertRow.record_id) == record_id).order_by(col(AlertRow.id))
    return [_alert(row) for row in session.exec(query)]


def _rank(points: int | None) -> int:
    return _HIGHEST if points is None else points


def _row(session: Session, alert_id: int) -> AlertRow:
    row = session.get(AlertRow, alert_id)
    if row is None:
        raise StoreError(f"There is no alert {alert_id}.", next_step="Reload the list.")
    return row


def _alert(row: AlertRow) -> CriticalAlert:
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
        notified_at=row.notified_at,
        notices=row.notices,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
    )


def _audit(
    session: Session,
    row: AlertRow,
    action: str,
    *,
    actor: str,
    now: datetime,
    detail: tuple[tuple[str, str], ...] = (),
) -> None:
    event = AuditEvent(actor=actor, action=action, object_kind="alert", object_id=str(row.id), detail=detail)
    audit.append(session, event, now=now)
