"""What FHIR servers show of alerts, so that a task there is closed or taken back when the alert is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from sqlmodel import Session, and_, col, or_, select

from store import portal_patients
from store.alert_subjects import subject_of
from store.alert_tables import AlertTaskRow
from store.alert_tellings import reference
from store.alerts import alert_of, alert_row, audit_alert
from store.context import deployment_of
from store.kept_records import RecordState
from store.tables import AlertRow, RecordRow

_EVER: Final = datetime.min.replace(tzinfo=UTC)


class TaskStatus(StrEnum):
    """The words of FHIR R4 (http://hl7.org/fhir/task-status) that are used."""

    REQUESTED = "requested"
    COMPLETED = "completed"
    ENTERED_IN_ERROR = "entered-in-error"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTask:
    """What a FHIR server is to show of one round of an alert.

    Attributes:
        system: Of the identifiers of this installation, for tasks and assessments alike.
        reference: Opaque id of the task, the same after a restart.
        patients_of: The destination as which the server knows patients, or None for the roster's own ids.
        patient_id: The confirmed patient as the server knows them, else None: nobody is guessed.
        external_id: What portals know the assessment by, as long as it is confirmed, else None.
        owner: Who took the alert, or None.
        note_at: When that was, or when the round ended; None while it is open.
    """

    alert_id: int
    round: int
    site: str
    system: str
    reference: str
    status: TaskStatus
    patients_of: str | None
    patient_id: str | None
    external_id: str | None
    owner: str | None
    raised_at: datetime
    note_at: datetime | None


def task_of(session: Session, alert_id: int, *, round_: int, patients_of: str | None) -> AlertTask:
    """What a FHIR server is to show of one round of an alert as things stand now.

    Args:
        patients_of: The destination as which the server knows patients, or None for the roster's own ids.
    """
    row = alert_row(session, alert_id)
    alert = alert_of(row)
    subject = subject_of(session, alert) if alert.round == round_ else None
    confirmed = subject if subject is not None and subject.is_confirmed else None
    if alert.round != round_:
        status, owner, at = TaskStatus.ENTERED_IN_ERROR, None, alert.begun_at
    elif alert.acknowledged_at is not None:
        status, owner, at = TaskStatus.COMPLETED, alert.acknowledged_by, alert.acknowledged_at
    else:
        status, owner, at = TaskStatus.REQUESTED, None, None
    return AlertTask(
        alert_id=alert_id,
        round=round_,
        site=alert.site,
        system=f"urn:uuid:{deployment_of(session)}",
        reference=reference(session, alert_id, round_=round_),
        status=status,
        patients_of=patients_of,
        patient_id=_known_as(session, confirmed.patient_id, patients_of) if confirmed else None,
        external_id=confirmed.record.external_id if confirmed else None,
        owner=owner,
        raised_at=alert.raised_at,
        note_at=at,
    )


def behind(session: Session, channel: str, *, patients_of: str | None) -> list[AlertTask]:
    """Tasks at a channel that show something else than they are to, oldest first."""
    record_moved = or_(
        col(RecordRow.state) != RecordState.CONFIRMED, col(RecordRow.patient_id) != col(AlertTaskRow.patient_id)
    )
    in_a_chart = and_(col(AlertTaskRow.patient_id).is_not(None), col(AlertTaskRow.status) == TaskStatus.COMPLETED)
    query = (
        select(AlertTaskRow)
        .join(AlertRow, col(AlertRow.id) == col(AlertTaskRow.alert_id))
        .join(RecordRow, col(RecordRow.id) == col(AlertRow.record_id), isouter=True)
        .where(
            col(AlertTaskRow.channel) == channel,
            or_(~col(AlertTaskRow.settled), and_(in_a_chart, record_moved)),
        )
        .order_by(col(AlertTaskRow.alert_id), col(AlertTaskRow.round))
    )
    found = []
    for row in session.exec(query):
        wanted = task_of(session, row.alert_id, round_=row.round, patients_of=patients_of)
        if wanted.status != row.status or _moved(wanted, row):
            found.append(wanted)
    return found


def mark_shown(session: Session, task: AlertTask, *, channel: str, receipt: str, now: datetime) -> None:
    """A FHIR server shows the task so."""
    row = session.get(AlertTaskRow, (task.alert_id, task.round, channel))
    if row is None:
        row = AlertTaskRow(
            alert_id=task.alert_id, round=task.round, channel=channel, status="", receipt="", settled=False, told_at=now
        )
    row.status, row.patient_id, row.receipt, row.told_at = task.status, task.patient_id, receipt, now
    row.attempts, row.fault = 0, None
    row.settled = task.status is not TaskStatus.REQUESTED
    session.add(row)
    detail = (("channel", channel), ("round", str(task.round)), ("status", task.status))
    audit_alert(session, alert_row(session, task.alert_id), "alert.task-shown", actor="service", now=now, detail=detail)


def mark_not_shown(session: Session, task: AlertTask, *, channel: str, fault: str) -> int:
    """A FHIR server did not take the task; how often by now."""
    row = session.get(AlertTaskRow, (task.alert_id, task.round, channel))
    if row is None:
        return 0
    row.attempts, row.fault = row.attempts + 1, fault
    session.add(row)
    return row.attempts


def _known_as(session: Session, patient_id: str | None, patients_of: str | None) -> str | None:
    if patient_id is None or patients_of is None:
        return patient_id
    return portal_patients.known(session, patients_of, patient_id, since=_EVER)


def _moved(wanted: AlertTask, row: AlertTaskRow) -> bool:
    """Whether another patient is to be named. A task that is taken back keeps the one it named."""
    return wanted.status is not TaskStatus.ENTERED_IN_ERROR and wanted.patient_id != row.patient_id
