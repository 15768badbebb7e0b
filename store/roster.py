"""The patients of each site, as the clinic last listed them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from sqlalchemy import delete, func, insert
from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.errors import RosterError
from records.patient import Roster, RosterPatient, Veto
from store import alias_doubts, audit, roster_history
from store.roster_diff import FIELDS, FieldValue, RosterDiff, RosterLimits, by_id, difference, refusal
from store.roster_history import RosterVersion
from store.tables import RosterPatientRow, RosterRow, VetoRow

USUAL_IDENTITY_SHARE: Final = 0.05
"""Part of the patients whose name, birth date or record number one import may change, unless set otherwise."""

_CHUNK: Final = 400
_INSERTED_AT_ONCE: Final = 10_000
# Beyond this, reading the whole roster is quicker than reading the changed patients one by one.
_LARGEST_UPDATE: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterChange:
    """What an import changed, in patients; `version` is the roster's new one."""

    added: int
    changed: int
    removed: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterStatus:
    """The roster in use at one site.

    Attributes:
        patients: How many it lists.
        active: How many of them are active.
        merged: How many of the others were merged into another record.
        age: Time since `as_of`.
        imported_from: File name or address of the import.
        held_by: Who rolled it back, so that nothing is imported without a person; or None.
        warnings: What was odd about the list, without values.
    """

    site: str
    patients: int
    active: int
    merged: int
    as_of: datetime
    age: timedelta
    imported_from: str
    imported_at: datetime
    imported_by: str
    version: int
    held_by: str | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterUpdate:
    """What makes an earlier version of a roster the present one.

    Attributes:
        changed: Patients as they are now who were added or changed since.
        removed: Ids of patients who were listed or not, and are not now.
        as_of: Of the present version.
    """

    changed: tuple[RosterPatient, ...]
    removed: tuple[str, ...]
    version: int
    as_of: datetime


def compare(session: Session, site: str, patients: Sequence[RosterPatient]) -> RosterDiff:
    """What `replace` would change.

    Raises:
        RosterError: The list names a patient twice, or one of another site.
    """
    wanted = by_id(patients)
    if len(wanted) != len(patients):
        raise RosterError("A patient id is listed more than once.", next_step="Export the roster again.")
    if any(patient.site != site for patient in patients):
        raise RosterError(f"The roster lists patients of other sites than {site}.", next_step="Filter the export.")
    return difference(by_id(_patients(session, site)), wanted)


def replace(
    session: Session,
    site: str,
    patients: Sequence[RosterPatient],
    *,
    as_of: datetime,
    imported_from: str,
    actor: str,
    now: datetime,
    max_removed_share: float,
    max_identity_share: float = USUAL_IDENTITY_SHARE,
    warnings: Sequence[str] = (),
) -> RosterChange:
    """Make `patients` the roster of the site; matching sees all of the change or none. What changed is kept.

    Args:
        as_of: When the list was right; a moment that has not come yet counts as now.
        max_removed_share: 0..1, the greatest part of the present patients that one import may remove or make inactive.
        max_identity_share: 0..1, the greatest part whose name, birth date or record number it may change.
        warnings: What was odd about the list, without values.

    Raises:
        RosterError: It would change more than that (a cut-off export or a shifted column looks like this), lists a
            patient twice, or one of another site. The old roster stays.
    """
    diff = compare(session, site, patients)
    refused = refusal(diff, RosterLimits(removed_share=max_removed_share, identity_share=max_identity_share), site=site)
    if refused is not None:
        raise refused
    head = _head(session, site, as_of=min(as_of, now), source=imported_from, actor=actor, now=now)
    change = _apply(session, head, diff, by_id(patients), restores=None, warnings=warnings)
    _audit(session, change, action="roster.imported", site=site, actor=actor, now=now)
    return change


def roll_back(session: Session, site: str, *, to: int, actor: str, now: datetime) -> RosterChange:
    """Bring an earlier version back as a new one, as old as its list is, and hold automatic imports.

    Without the hold, the next import would bring back what has just been undone.

    Raises:
        RosterError: The version is unknown, forgotten, or the one in use.
    """
    head = session.get(RosterRow, site)
    if head is None or head.version == to:
        raise RosterError(
            f"Version {to} of the roster of {site} is the one in use." if head else f"Site {site} has no roster.",
            next_step="See the versions with: scorebridge roster history --site SITE",
        )
    present = by_id(_patients(session, site))
    wanted = by_id(roster_history.state_at(session, site, to, present))
    earlier = roster_history.version(session, site, to)
    assert earlier is not None  # state_at has refused an unknown one
    head = _head(session, site, as_of=earlier.as_of, source=earlier.source, actor=actor, now=now)
    head.held_at, head.held_by = now, actor
    diff = difference(present, wanted)
    change = _apply(session, head, diff, wanted, restores=to, warnings=earlier.warnings)
    _audit(session, change, action="roster.rolled-back", site=site, actor=actor, now=now, to=to)
    return change


def release(session: Session, site: str) -> None:
    """Let automatic imports go on."""
    head = session.get(RosterRow, site)
    if head is not None and head.held_at is not None:
        head.held_at = head.held_by = None
        session.add(head)


def is_held(session: Session, site: str) -> bool:
    """Whether automatic imports wait for a person."""
    return session.exec(select(RosterRow.held_at).where(col(RosterRow.site) == site)).first() is not None


def changes_since(session: Session, site: str, version: int) -> RosterUpdate | None:
    """What was changed after a version, for who holds that version and wants the present one.

    None if the history does not reach back to it, or if so much has changed that reading the whole roster is quicker.
    """
    head = session.get(RosterRow, site)
    touched = roster_history.changed_since(session, site, version, limit=_LARGEST_UPDATE)
    if head is None or touched is None:
        return None
    ids = sorted(touched)
    changed = [
        patient for start in range(0, len(ids), _CHUNK) for patient in _patients(session, site, ids[start:][:_CHUNK])
    ]
    removed = touched - {patient.patient_id for patient in changed}
    return RosterUpdate(changed=tuple(changed), removed=tuple(sorted(removed)), version=head.version, as_of=head.as_of)


def current(session: Session, site: str) -> Roster | None:
    """The roster in use, or None before the first import. Patients are in the order of their ids."""
    head = session.get(RosterRow, site)
    return None if head is None else Roster(site=site, patients=tuple(_patients(session, site)), as_of=head.as_of)


def in_use(session: Session, site: str) -> tuple[int, datetime] | None:
    """Version of the site's roster and when its list was last right, or None before the first import."""
    head = session.get(RosterRow, site)
    return None if head is None else (head.version, head.as_of)


def status(session: Session, *, now: datetime) -> list[RosterStatus]:
    """The rosters of all sites."""
    return [_status(session, head, now) for head in session.exec(select(RosterRow).order_by(col(RosterRow.site)))]


def version(session: Session, site: str) -> int:
    """Counts up with every import that changed a patient; 0 without a roster. Vetoes are not part of it."""
    return session.exec(select(RosterRow.version).where(col(RosterRow.site) == site)).first() or 0


def patient(session: Session, site: str, patient_id: str) -> RosterPatient | None:
    """One patient of the current roster, active or not, or None."""
    row = session.get(RosterPatientRow, (site, patient_id))
    return None if row is None else _patient(row)


def few(session: Session, site: str, patient_ids: Collection[str]) -> dict[str, RosterPatient]:
    """Those of these patients that are on the current roster, active or not, by their ids."""
    return {one.patient_id: one for one in _patients(session, site, sorted(patient_ids))} if patient_ids else {}


def vetoes(session: Session, site: str) -> frozenset[Veto]:
    """What persons at this site have said about prints that are not a patient."""
    rows = session.exec(select(VetoRow).where(col(VetoRow.site) == site))
    return frozenset(Veto(fingerprint=row.fingerprint, patient_id=row.patient_id) for row in rows)


def _status(session: Session, head: RosterRow, now: datetime) -> RosterStatus:
    listed = col(RosterPatientRow.patient_id)
    patients, active, merged = session.exec(
        select(
            func.count(listed),
            func.count(listed).filter(col(RosterPatientRow.active)),
            func.count(col(RosterPatientRow.merged_into)),
        ).where(col(RosterPatientRow.site) == head.site)
    ).one()
    kept = roster_history.version(session, head.site, head.version)
    return RosterStatus(
        site=head.site,
        patients=patients,
        active=active,
        merged=merged,
        as_of=head.as_of,
        age=now - head.as_of,
        imported_from=head.imported_from,
        imported_at=head.imported_at,
        imported_by=head.imported_by,
        version=head.version,
        held_by=head.held_by if head.held_at is not None else None,
        warnings=() if kept is None else kept.warnings,
    )


def _head(session: Session, site: str, *, as_of: datetime, source: str, actor: str, now: datetime) -> RosterRow:
    head = session.get(RosterRow, site)
    if head is None:
        head = RosterRow(site=site, version=0, as_of=as_of, imported_from=source, imported_at=now, imported_by=actor)
    # A new import of the same list is still news: it says that the list was right at a later time.
    head.as_of, head.imported_from, head.imported_at, head.imported_by = as_of, source, now, actor
    return head


def _apply(
    session: Session,
    head: RosterRow,
    diff: RosterDiff,
    wanted: Mapping[str, RosterPatient],
    *,
    restores: int | None,
    warnings: Sequence[str],
) -> RosterChange:
    is_new = not diff.is_empty or head.version == 0 or restores is not None
    head.version += is_new
    session.add(head)
    session.flush()
    change = RosterChange(
        added=len(diff.added), changed=len(diff.changed), removed=len(diff.removed), version=head.version
    )
    if is_new:
        roster_history.record(session, _version(head, change, restores=restores, warnings=warnings), diff)
    else:
        roster_history.seen_again(session, head.site, head.version, as_of=head.as_of, warnings=warnings)
    gone = [patient.patient_id for patient in diff.removed] + [after.patient_id for _, after in diff.changed]
    _delete(session, head.site, sorted(gone))
    _insert(session, [*diff.added, *(after for _, after in diff.changed)])
    if not diff.is_empty:
        alias_doubts.suspend_outdated(session, head.site, wanted, now=head.imported_at)
    return change


def _version(head: RosterRow, change: RosterChange, *, restores: int | None, warnings: Sequence[str]) -> RosterVersion:
    return RosterVersion(
        site=head.site,
        version=head.version,
        as_of=head.as_of,
        made_at=head.imported_at,
        made_by=head.imported_by,
        source=head.imported_from,
        restores=restores,
        added=change.added,
        changed=change.changed,
        removed=change.removed,
        warnings=tuple(warnings),
    )


def _patients(session: Session, site: str, patient_ids: Sequence[str] | None = None) -> list[RosterPatient]:
    columns = [getattr(RosterPatientRow, name) for name in FIELDS]
    query = select(*columns).where(col(RosterPatientRow.site) == site).order_by(col(RosterPatientRow.patient_id))
    if patient_ids is not None:
        query = query.where(col(RosterPatientRow.patient_id).in_(patient_ids))
    return [RosterPatient(**dict(zip(FIELDS, values, strict=True))) for values in session.connection().execute(query)]


def _patient(row: RosterPatientRow) -> RosterPatient:
    return RosterPatient(**{name: getattr(row, name) for name in FIELDS})


def _columns(listed: RosterPatient) -> Mapping[str, FieldValue]:
    return {name: getattr(listed, name) for name in FIELDS}


def _insert(session: Session, patients: Iterable[RosterPatient]) -> None:
    rows = map(_columns, patients)
    while chunk := list(islice(rows, _INSERTED_AT_ONCE)):
        session.connection().execute(insert(RosterPatientRow), chunk)


def _delete(session: Session, site: str, patient_ids: list[str]) -> None:
    for start in range(0, len(patient_ids), _CHUNK):
        session.connection().execute(
            delete(RosterPatientRow).where(
                col(RosterPatientRow.site) == site,
                col(RosterPatientRow.patient_id).in_(patient_ids[start : start + _CHUNK]),
            )
        )
    session.expire_all()


def _audit(
    session: Session, change: RosterChange, *, action: str, site: str, actor: str, now: datetime, to: int | None = None
) -> None:
    counts = (
        ("added", str(change.added)),
        ("changed", str(change.changed)),
        ("removed", str(change.removed)),
        ("version", str(change.version)),
    )
    restored = () if to is None else (("to", str(to)),)
    event = AuditEvent(actor=actor, action=action, object_kind="roster", object_id=site, detail=counts + restored)
    audit.append(session, event, now=now)
