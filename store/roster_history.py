"""Every state that a site's roster has been in, kept as what each version changed of each patient."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from itertools import islice
from typing import Final

from sqlalchemy import ColumnElement, delete, func, insert
from sqlmodel import Session, col, select

from records.errors import RosterError
from records.patient import RosterPatient
from store.roster_diff import FIELDS, FieldValue, RosterDiff, changed_fields
from store.serialised import encodable
from store.tables import RosterChangeRow, RosterVersionRow

_CHUNK: Final = 10_000
_DATES: Final = frozenset({"birth_date", "last_visit"})
_KEYS: Final = frozenset({"patient_id", "site"})
_KEPT_WARNINGS: Final = 100


class ChangeKind(StrEnum):
    """What happened to a patient."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterVersion:
    """One state of a roster.

    Attributes:
        as_of: When the list was last right: of the latest import that found it so.
        source: File name or address it came from.
        restores: The earlier version it brings back, or None.
        warnings: What was odd about the list, without values.
    """

    site: str
    version: int
    as_of: datetime
    made_at: datetime
    made_by: str
    source: str
    restores: int | None
    added: int
    changed: int
    removed: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientChange:
    """What one version changed of one patient.

    Attributes:
        before: The fields that changed, or all of a removed patient's that had a value.
        after: The same fields as they became; empty for an added or removed patient.
    """

    version: int
    made_at: datetime
    made_by: str
    patient_id: str
    kind: ChangeKind
    before: Mapping[str, FieldValue]
    after: Mapping[str, FieldValue]


def record(session: Session, version: RosterVersion, diff: RosterDiff) -> None:
    """Keep a new version and what it changed; of a site's first one, before which nothing was, only the numbers."""
    is_first = not _any_version(session, version.site)
    row = RosterVersionRow(**{name: getattr(version, name) for name in RosterVersionRow.model_fields} | {
        "warnings": _warnings_text(version.warnings)
    })  # fmt: skip
    session.add(row)
    session.flush()
    if is_first:
        return
    rows = _rows(version, diff)
    while chunk := list(islice(rows, _CHUNK)):
        session.connection().execute(insert(RosterChangeRow), chunk)


def seen_again(session: Session, site: str, version: int, *, as_of: datetime, warnings: Sequence[str]) -> None:
    """The same list came again: the version was right at a later time too."""
    row = session.get(RosterVersionRow, (site, version))
    if row is not None:
        row.as_of, row.warnings = as_of, _warnings_text(warnings)
        session.add(row)
        session.flush()


def versions(session: Session, site: str, *, limit: int = 50) -> list[RosterVersion]:
    """The latest versions, newest first."""
    query = select(RosterVersionRow).where(col(RosterVersionRow.site) == site)
    return [_version(row) for row in session.exec(query.order_by(col(RosterVersionRow.version).desc()).limit(limit))]


def version(session: Session, site: str, number: int) -> RosterVersion | None:
    """One version, or None if it is unknown or forgotten."""
    row = session.get(RosterVersionRow, (site, number))
    return None if row is None else _version(row)


def of_patient(session: Session, site: str, patient_id: str) -> list[PatientChange]:
    """What happened to one patient, newest first; empty if nothing has since the first version."""
    return _changes(session, site, col(RosterChangeRow.patient_id) == patient_id, limit=1000)


def of_version(session: Session, site: str, number: int, *, limit: int = 1000) -> list[PatientChange]:
    """What one version changed, in the order of the patients' ids."""
    return _changes(session, site, col(RosterChangeRow.version) == number, limit=limit)


def changed_since(session: Session, site: str, number: int, *, limit: int) -> frozenset[str] | None:
    """Ids of the patients that versions after `number` added, changed or removed.

    None if the history does not reach so far back, or if they are more than `limit`.
    """
    if session.get(RosterVersionRow, (site, number)) is None:
        return None
    query = select(RosterChangeRow.patient_id).where(
        col(RosterChangeRow.site) == site, col(RosterChangeRow.version) > number
    )
    found = session.exec(query.distinct().limit(limit + 1)).all()
    return None if len(found) > limit else frozenset(found)


def state_at(session: Session, site: str, number: int, present: Mapping[str, RosterPatient]) -> list[RosterPatient]:
    """The patients as version `number` had them, from those of the latest one, by undoing what came after.

    Raises:
        RosterError: The version is unknown or forgotten.
    """
    if session.get(RosterVersionRow, (site, number)) is None:
        raise RosterError(
            f"There is no version {number} of the roster of {site} in its history.",
            next_step="See the versions with: scorebridge roster history --site SITE",
        )
    then = dict(present)
    query = (
        select(RosterChangeRow.patient_id, RosterChangeRow.kind, RosterChangeRow.before)
        .where(col(RosterChangeRow.site) == site, col(RosterChangeRow.version) > number)
        .order_by(col(RosterChangeRow.version).desc())
        .execution_options(yield_per=_CHUNK)
    )
    for patient_id, kind, before in session.exec(query):
        if kind == ChangeKind.ADDED:
            del then[patient_id]
        elif kind == ChangeKind.REMOVED:
            then[patient_id] = _patient(site, patient_id, _values(before))
        else:
            then[patient_id] = replace(then[patient_id], **_values(before))  # type: ignore[arg-type]
    return list(then.values())


def forget(session: Session, site: str, *, before: datetime) -> int:
    """Drop what was changed before a moment, and the versions up to there but the latest; how many versions."""
    last = session.exec(
        select(func.max(RosterVersionRow.version)).where(
            col(RosterVersionRow.site) == site, col(RosterVersionRow.made_at) < before
        )
    ).one()
    if last is None:
        return 0
    # The last version made before stays, as the state from which the kept changes start.
    session.connection().execute(
        delete(RosterChangeRow).where(col(RosterChangeRow.site) == site, col(RosterChangeRow.version) <= last)
    )
    dropped = session.connection().execute(
        delete(RosterVersionRow).where(col(RosterVersionRow.site) == site, col(RosterVersionRow.version) < last)
    )
    return dropped.rowcount


def _any_version(session: Session, site: str) -> bool:
    return session.exec(select(RosterVersionRow.version).where(col(RosterVersionRow.site) == site)).first() is not None


def _rows(version: RosterVersion, diff: RosterDiff) -> Iterator[dict[str, object]]:
    key = {"site": version.site, "version": version.version}
    for patient in diff.added:
        yield key | {"patient_id": patient.patient_id, "kind": ChangeKind.ADDED.value, "before": None, "after": None}
    for before, after in diff.changed:
        names = changed_fields(before, after)
        yield key | {
            "patient_id": after.patient_id,
            "kind": ChangeKind.CHANGED.value,
            "before": _text(before, names),
            "after": _text(after, names),
        }
    for patient in diff.removed:
        names = tuple(name for name in FIELDS if name not in _KEYS and getattr(patient, name) is not None)
        yield key | {
            "patient_id": patient.patient_id,
            "kind": ChangeKind.REMOVED.value,
            "before": _text(patient, names),
            "after": None,
        }


def _changes(session: Session, site: str, wanted: ColumnElement[bool], *, limit: int) -> list[PatientChange]:
    query = (
        select(RosterChangeRow, RosterVersionRow)
        .join(
            RosterVersionRow,
            (col(RosterVersionRow.site) == col(RosterChangeRow.site))
            & (col(RosterVersionRow.version) == col(RosterChangeRow.version)),
        )
        .where(col(RosterChangeRow.site) == site, wanted)
        .order_by(col(RosterChangeRow.version).desc(), col(RosterChangeRow.patient_id))
        .limit(limit)
    )
    return [
        PatientChange(
            version=change.version,
            made_at=made.made_at,
            made_by=made.made_by,
            patient_id=change.patient_id,
            kind=ChangeKind(change.kind),
            before=_values(change.before),
            after=_values(change.after),
        )
        for change, made in session.exec(query)
    ]


def _text(patient: RosterPatient, names: Iterable[str]) -> str:
    values = {name: getattr(patient, name) for name in names}
    return encodable(json.dumps(values, ensure_ascii=False, default=date.isoformat, separators=(",", ":")))


def _values(text: str | None) -> dict[str, FieldValue]:
    written: dict[str, str | bool | None] = json.loads(text or "{}")
    return {
        name: date.fromisoformat(value) if name in _DATES and isinstance(value, str) else value
        for name, value in written.items()
    }


def _patient(site: str, patient_id: str, values: Mapping[str, FieldValue]) -> RosterPatient:
    return RosterPatient(site=site, patient_id=patient_id, **values)  # type: ignore[arg-type]


def _version(row: RosterVersionRow) -> RosterVersion:
    values = {name: getattr(row, name) for name in RosterVersionRow.model_fields}
    return RosterVersion(**values | {"warnings": tuple(json.loads(row.warnings))})


def _warnings_text(warnings: Sequence[str]) -> str:
    return encodable(json.dumps(list(warnings[:_KEPT_WARNINGS]), ensure_ascii=False))
