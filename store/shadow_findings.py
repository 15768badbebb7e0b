"""What people found of the differences between Scorebridge and staff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.comparison import PRESENCE, ComparedValue, SettledDifference, Verdict
from records.errors import DecisionRefusedError
from store import audit
from store.context import keys_of
from store.shadow_tables import ShadowFindingRow


def no_pairs(session: Session, site: str) -> frozenset[tuple[int, int]]:
    """Record id and number of the typed value of what people called two values."""
    rows = _rows(session, site)
    return frozenset((row.record_id, row.typed_id) for row in rows if row.verdict == Verdict.TWO_VALUES)


def standing(
    session: Session, site: str, linked: Sequence[ComparedValue]
) -> dict[tuple[int, int, str], SettledDifference]:
    """The findings that still hold: about a difference that is there, between the values that the person saw."""
    by_key = {one.key: one for one in linked}
    found = {}
    for row in _rows(session, site):
        value = by_key.get((row.record_id, row.typed_id))
        if value is None or row.field not in value.differences or row.basis != _basis(session, value, row.field):
            continue
        found[row.record_id, row.typed_id, row.field] = SettledDifference(
            record_id=row.record_id,
            typed_id=row.typed_id,
            field=row.field,
            verdict=Verdict(row.verdict),
            settled_by=row.settled_by,
            settled_at=row.settled_at,
        )
    return found


def write(
    session: Session, value: ComparedValue, verdicts: Mapping[str, Verdict], *, actor: str, now: datetime
) -> None:
    """Keep findings about the fields of a value; a later one replaces an earlier one.

    Raises:
        DecisionRefusedError: A field does not differ, or a verdict does not fit its difference.
    """
    if not verdicts or not set(verdicts) <= set(value.differences):
        raise DecisionRefusedError("This difference is not there any more.", next_step="Reload the list.")
    if not set(verdicts.values()) <= set(value.verdicts):
        raise DecisionRefusedError("This is no answer to such a difference.", next_step="Choose another.")
    for field, verdict in verdicts.items():
        earlier = _row(session, value, field)
        if earlier is not None:
            session.delete(earlier)
            session.flush()
        session.add(
            ShadowFindingRow(
                site=value.site,
                record_id=value.key[0],
                typed_id=value.key[1],
                field=field,
                basis=_basis(session, value, field),
                verdict=verdict,
                settled_by=actor,
                settled_at=now,
            )
        )
    session.flush()
    detail = tuple((field, str(verdict)) for field, verdict in verdicts.items())
    _audit(session, "shadow.settled", value.key, actor=actor, now=now, detail=detail)


def take_back(session: Session, key: tuple[int, int], *, actor: str, now: datetime) -> None:
    """Forget what was found of a record and a typed value, so that they are compared anew.

    Raises:
        DecisionRefusedError: Nothing was found of them.
    """
    of_it = (col(ShadowFindingRow.record_id) == key[0], col(ShadowFindingRow.typed_id) == key[1])
    rows = session.exec(select(ShadowFindingRow).where(*of_it)).all()
    if not rows:
        raise DecisionRefusedError("Nothing was found of these two.", next_step="Reload the list.")
    for row in rows:
        session.delete(row)
    session.flush()
    _audit(session, "shadow.reopened", key, actor=actor, now=now, detail=())


def _rows(session: Session, site: str) -> Iterable[ShadowFindingRow]:
    return session.exec(select(ShadowFindingRow).where(col(ShadowFindingRow.site) == site))


def _row(session: Session, value: ComparedValue, field: str) -> ShadowFindingRow | None:
    record_id, typed_id = value.key
    query = select(ShadowFindingRow).where(
        col(ShadowFindingRow.site) == value.site,
        col(ShadowFindingRow.record_id) == record_id,
        col(ShadowFindingRow.typed_id) == typed_id,
        col(ShadowFindingRow.field) == field,
    )
    return session.exec(query).first()


def _basis(session: Session, value: ComparedValue, field: str) -> str:
    """A digest of what a person saw: a finding about other values is none."""
    shown: list[str | int | None] = [value.standing, field]
    if field == PRESENCE:
        side = value.read or (value.typed.entry if value.typed else None)
        shown += [] if side is None else [side.patient_id, side.instrument, str(side.administered_on), side.score]
    else:
        shown += [part for one in value.fields if one.field == field for part in (one.read, one.typed)]
    return keys_of(session).opaque("shadow-basis", shown).hex()


def _audit(
    session: Session,
    action: str,
    key: tuple[int, int],
    *,
    actor: str,
    now: datetime,
    detail: tuple[tuple[str, str], ...],
) -> None:
    event = AuditEvent(
        actor=actor,
        action=action,
        object_kind="shadow-difference",
        object_id=f"record {key[0]}, typed value {key[1]}",
        detail=detail,
    )
    audit.append(session, event, now=now)
