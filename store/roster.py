"""The patients of each site, as the clinic last listed them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta

from sqlalchemy import delete, func, insert
from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.errors import RosterError
from records.patient import Roster, RosterPatient, Veto
from store import alias_doubts, audit
from store.tables import RosterPatientRow, RosterRow, VetoRow

_FIELDS = tuple(field.name for field in fields(RosterPatient))
_CHUNK = 400


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
        age: Time since `as_of`.
        imported_from: File name or address of the import.
    """

    site: str
    patients: int
    as_of: datetime
    age: timedelta
    imported_from: str
    imported_at: datetime
    version: int


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
) -> RosterChange:
    """Make `patients` the roster of the site; matching sees all of the change or none.

    Args:
        max_removed_share: 0..1, the greatest part of the present patients that one import may remove.

    Raises:
        RosterError: It would remove more than that (a cut-off export looks like this), lists a patient twice, or one of
            another site. The old roster stays.
    """
    wanted = {patient.patient_id: patient for patient in patients}
    if len(wanted) != len(patients):
        raise RosterError("A patient id is listed more than once.", next_step="Export the roster again.")
    if any(patient.site != site for patient in patients):
        raise RosterError(f"The roster lists patients of other sites than {site}.", next_step="Filter the export.")
    present = {patient.patient_id: patient for patient in _patients(session, site)}
    gone = present.keys() - wanted.keys()
    if present and len(gone) / len(present) > max_removed_share:
        raise RosterError(
            f"The new roster of {site} lacks {len(gone)} of {len(present)} patients.",
            next_step="Check the export; if it is right, import it with a greater allowed share.",
        )
    changed = {key for key in present.keys() & wanted.keys() if present[key] != wanted[key]}
    added = wanted.keys() - present.keys()
    head = session.get(RosterRow, site)
    if head is None:
        head = RosterRow(
            site=site, version=0, as_of=as_of, imported_from=imported_from, imported_at=now, imported_by=actor
        )
    # A new import of the same list is still news: it says that the list was right at a later time.
    head.version += bool(added or changed or gone) or head.version == 0
    head.as_of, head.imported_from, head.imported_at, head.imported_by = as_of, imported_from, now, actor
    session.add(head)
    session.flush()
    _delete(session, site, sorted(gone | changed))
    rows = [_columns(wanted[key]) for key in sorted(added | changed)]
    if rows:
        session.connection().execute(insert(RosterPatientRow), rows)
    if added or changed or gone:
        alias_doubts.suspend_outdated(session, site, wanted, now=now)
    change = RosterChange(added=len(added), changed=len(changed), removed=len(gone), version=head.version)
    _audit(session, change, site=site, actor=actor, now=now)
    return change


def current(session: Session, site: str) -> Roster | None:
    """The roster in use, or None before the first import. Patients are in the order of their ids."""
    head = session.get(RosterRow, site)
    return None if head is None else Roster(site=site, patients=tuple(_patients(session, site)), as_of=head.as_of)


def status(session: Session, *, now: datetime) -> list[RosterStatus]:
    """The rosters of all sites."""
    listed = dict(session.exec(select(RosterPatientRow.site, func.count()).group_by(col(RosterPatientRow.site))).all())
    return [
        RosterStatus(
            site=head.site,
            patients=listed.get(head.site, 0),
            as_of=head.as_of,
            age=now - head.as_of,
            imported_from=head.imported_from,
            imported_at=head.imported_at,
            version=head.version,
        )
        for head in session.exec(select(RosterRow).order_by(col(RosterRow.site)))
    ]


def version(session: Session, site: str) -> int:
    """Counts up with every import that changed a patient; 0 without a roster. Vetoes are not part of it."""
    return session.exec(select(RosterRow.version).where(col(RosterRow.site) == site)).first() or 0


def patient(session: Session, site: str, patient_id: str) -> RosterPatient | None:
    """One patient of the current roster, active or not, or None."""
    row = session.get(RosterPatientRow, (site, patient_id))
    return None if row is None else _patient(row)


def vetoes(session: Session, site: str) -> frozenset[Veto]:
    """What persons at this site have said about prints that are not a patient."""
    rows = session.exec(select(VetoRow).where(col(VetoRow.site) == site))
    return frozenset(Veto(fingerprint=row.fingerprint, patient_id=row.patient_id) for row in rows)


def _patients(session: Session, site: str) -> list[RosterPatient]:
    columns = [getattr(RosterPatientRow, name) for name in _FIELDS]
    query = select(*columns).where(col(RosterPatientRow.site) == site).order_by(col(RosterPatientRow.patient_id))
    return [RosterPatient(**dict(zip(_FIELDS, values, strict=True))) for values in session.connection().execute(query)]


def _patient(row: RosterPatientRow) -> RosterPatient:
    return RosterPatient(**{name: getattr(row, name) for name in _FIELDS})


def _columns(listed: RosterPatient) -> Mapping[str, str | bool | date | None]:
    return asdict(listed)


def _delete(session: Session, site: str, patient_ids: list[str]) -> None:
    for start in range(0, len(patient_ids), _CHUNK):
        session.connection().execute(
            delete(RosterPatientRow).where(
                col(RosterPatientRow.site) == site,
                col(RosterPatientRow.patient_id).in_(patient_ids[start : start + _CHUNK]),
            )
        )
    session.expire_all()


def _audit(session: Session, change: RosterChange, *, site: str, actor: str, now: datetime) -> None:
    event = AuditEvent(
        actor=actor,
        action="roster.imported",
        object_kind="roster",
        object_id=site,
        detail=(
            ("added", str(change.added)),
            ("changed", str(change.changed)),
            ("removed", str(change.removed)),
            ("version", str(change.version)),
        ),
    )
    audit.append(session, event, now=now)
