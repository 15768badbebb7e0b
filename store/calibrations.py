"""The calibrations of the matching odds, each a version; the latest is in use, and any earlier one can come back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from pydantic import TypeAdapter
from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.errors import DecisionRefusedError
from store import audit
from store.learning_tables import CalibrationRow

Points = tuple[tuple[float, float], ...]

_POINTS = TypeAdapter(Points)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCalibration:
    """One calibration.

    Attributes:
        version: Counts up from 1; version 0 stands for the odds as computed and has no row.
        points: (log2 odds as computed, log2 odds as they proved), ascending; empty for the odds as computed.
        labels: Decisions of people it was fitted from.
        error_before: Expected calibration error of the computed odds on those, 0..1.
        error_after: The same with these points.
        reverts_to: The version whose points it brought back, or None.
    """

    version: int
    points: Points
    labels: int
    error_before: float
    error_after: float
    reverts_to: int | None
    made_by: str
    made_at: datetime


def current(session: Session) -> Points:
    """The points in use; empty for the odds as computed."""
    row = session.exec(select(CalibrationRow).order_by(col(CalibrationRow.version).desc()).limit(1)).first()
    return () if row is None else _POINTS.validate_json(row.points)


def list_calibrations(session: Session) -> list[StoredCalibration]:
    """All versions, newest first."""
    return [_stored(row) for row in session.exec(select(CalibrationRow).order_by(col(CalibrationRow.version).desc()))]


def apply(
    session: Session,
    points: Points,
    *,
    labels: int,
    error_before: float,
    error_after: float,
    actor: str,
    now: datetime,
) -> int:
    """Use these points from now on; return their version."""
    row = CalibrationRow(
        version=_latest(session) + 1,
        points=_POINTS.dump_json(points).decode(),
        labels=labels,
        error_before=error_before,
        error_after=error_after,
        made_by=actor,
        made_at=now,
    )
    return _keep(session, row, "calibration.applied", actor=actor, now=now)


def revert(session: Session, to: int, *, actor: str, now: datetime) -> int:
    """Use the points of an earlier version again, 0 for the odds as computed; return the new version.

    Raises:
        DecisionRefusedError: There is no such version.
    """
    earlier = session.get(CalibrationRow, to)
    if earlier is None and to != 0:
        raise DecisionRefusedError(f"There is no calibration {to}.", next_step="Version 0 is the odds as computed.")
    row = CalibrationRow(
        version=_latest(session) + 1,
        points=earlier.points if earlier else "[]",
        labels=earlier.labels if earlier else 0,
        error_before=earlier.error_before if earlier else 0.0,
        error_after=earlier.error_after if earlier else 0.0,
        reverts_to=to,
        made_by=actor,
        made_at=now,
    )
    return _keep(session, row, "calibration.reverted", actor=actor, now=now)


def model_version(session: Session) -> str:
    """Which program with which calibration decides now."""
    return f"{_program()}, calibration {_latest(session)}"


def _latest(session: Session) -> int:
    return (
        session.exec(select(CalibrationRow.version).order_by(col(CalibrationRow.version).desc()).limit(1)).first() or 0
    )


@cache
def _program() -> str:
    try:
        return version("scorebridge")
    except PackageNotFoundError:
        return "not installed"


def _keep(session: Session, row: CalibrationRow, action: str, *, actor: str, now: datetime) -> int:
    session.add(row)
    session.flush()
    detail = (("labels", str(row.labels)), ("reverts-to", "" if row.reverts_to is None else str(row.reverts_to)))
    event = AuditEvent(actor=actor, action=action, object_kind="calibration", object_id=str(row.version), detail=detail)
    audit.append(session, event, now=now)
    return row.version


def _stored(row: CalibrationRow) -> StoredCalibration:
    return StoredCalibration(
        version=row.version,
        points=_POINTS.validate_json(row.points),
        labels=row.labels,
        error_before=row.error_before,
        error_after=row.error_after,
        reverts_to=row.reverts_to,
        made_by=row.made_by,
        made_at=row.made_at,
    )
