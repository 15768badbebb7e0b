"""What staff typed into the portal while Scorebridge ran beside them: kept for the comparison, and deleted after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.comparison import TypedEntry, TypedValue
from records.errors import DecisionRefusedError
from store import audit
from store.context import keys_of, stored_id
from store.serialised import encodable
from store.shadow_tables import ShadowFindingRow, ShadowSignOffRow, TypedImportRow, TypedValueRow
from store.tables import SubmissionRow

FILE: Final = "file"
_ENTRY: Final = TypeAdapter(TypedEntry)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedImport:
    """One taking over of typed values.

    Attributes:
        source: "file", or the id of the destination that was read.
        listed: Values it held.
        added: How many of them were new.
    """

    import_id: int
    site: str
    source: str
    sha256: str
    listed: int
    added: int
    imported_by: str
    imported_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What a portal was asked for and has listed whole: patients, and the first day of administration."""

    patients: frozenset[str]
    first: date


def keep(
    session: Session,
    site: str,
    entries: Sequence[TypedEntry],
    *,
    source: str,
    sha256: str,
    actor: str,
    now: datetime,
    whole: Whole | None = None,
) -> TypedImport:
    """Keep what is new; taking the same values over again changes nothing. A value listed twice is typed twice.

    What a portal shows otherwise than before, under the same id of its own, replaces what it showed; what it no longer
    shows is gone.

    Args:
        source: "file", or the id of the destination that was read.
        sha256: Of the file or of what was read.
        whole: What a portal was asked for: what of it is not listed is not there any more. None for a file.

    Raises:
        DecisionRefusedError: The site's values came another way before: each would count as typed twice.
    """
    _refuse_mixture(session, site, source)
    made = TypedImportRow(
        site=site, source=source, sha256=sha256, listed=len(entries), added=0, imported_by=actor, imported_at=now
    )
    session.add(made)
    session.flush()
    rows = list(_rows(session, stored_id(made.id), site, entries, source=source))
    known = _known(session, site)
    fresh = [row for row in rows if row.identity not in known]
    made.added = len(fresh)
    session.add_all(fresh)
    _replace_shown_otherwise(session, rows, now=now)
    if whole is not None:
        _mark_gone(session, site, {row.remote for row in rows}, whole, now=now)
    session.flush()
    detail = (("source", source), ("listed", str(len(entries))), ("added", str(len(fresh))), ("sha256", sha256))
    _audit(session, "typed-values.imported", site, str(made.id), actor=actor, now=now, detail=detail)
    return _import(made)


def typed_values(session: Session, site: str) -> list[TypedValue]:
    """Everything that staff typed for a site and that was not replaced since."""
    query = select(TypedValueRow).where(col(TypedValueRow.site) == site, col(TypedValueRow.replaced_at).is_(None))
    return [
        TypedValue(typed_id=stored_id(row.id), site=site, entry=_ENTRY.validate_json(row.value))
        for row in session.exec(query.order_by(col(TypedValueRow.id)))
    ]


def imports(session: Session, site: str | None = None) -> list[TypedImport]:
    """What was taken over, oldest first."""
    query = select(TypedImportRow)
    if site is not None:
        query = query.where(col(TypedImportRow.site) == site)
    return [_import(row) for row in session.exec(query.order_by(col(TypedImportRow.id)))]


def sent_by_us(session: Session) -> frozenset[str]:
    """Our opaque ids of everything that was ever queued: a portal's value under one of them was not typed."""
    return frozenset(session.exec(select(SubmissionRow.external_id).distinct()))


def delete_import(session: Session, import_id: int, *, actor: str, now: datetime) -> int:
    """Take one import back, for instance of a wrong file; return how many values that were.

    Raises:
        DecisionRefusedError: There is none, or a person has settled a difference of its values.
    """
    row = session.get(TypedImportRow, import_id)
    if row is None:
        raise DecisionRefusedError(f"There is no import {import_id}.", next_step="List them with “shadow imports”.")
    of_it = select(TypedValueRow.id).where(col(TypedValueRow.import_id) == import_id)
    settled = select(func.count()).select_from(ShadowFindingRow).where(col(ShadowFindingRow.typed_id).in_(of_it))
    if session.exec(settled).one():
        raise DecisionRefusedError(
            f"Differences of import {import_id} are settled already.", next_step="Sign, then delete the whole site's."
        )
    return _delete(session, row.site, (import_id,), actor=actor, now=now)


def delete_site(session: Session, site: str, *, actor: str, now: datetime) -> int:
    """Delete everything typed of a site, and what was found of it; the signed page stays. Return how many values.

    Raises:
        DecisionRefusedError: No comparison of this site has been signed since its last import.
    """
    found = imports(session, site)
    if not found:
        return 0
    signed = session.exec(select(ShadowSignOffRow.sites, ShadowSignOffRow.signed_at)).all()
    last = max(one.imported_at for one in found)
    if not any(site in sites.split("\n") and at >= last for sites, at in signed):
        raise DecisionRefusedError(
            f"The comparison of site {site} is not signed.", next_step="Sign it first: what was typed is its evidence."
        )
    session.execute(delete(ShadowFindingRow).where(col(ShadowFindingRow.site) == site))
    return _delete(session, site, [one.import_id for one in found], actor=actor, now=now)


def _delete(session: Session, site: str, import_ids: Collection[int], *, actor: str, now: datetime) -> int:
    held = col(TypedValueRow.import_id).in_(import_ids)
    count = session.exec(select(func.count()).select_from(TypedValueRow).where(held)).one()
    session.execute(delete(TypedValueRow).where(held))
    session.execute(delete(TypedImportRow).where(col(TypedImportRow.id).in_(import_ids)))
    session.flush()
    detail = (("imports", str(len(import_ids))), ("values", str(count)))
    _audit(session, "typed-values.deleted", site, site, actor=actor, now=now, detail=detail)
    return count


def _refuse_mixture(session: Session, site: str, source: str) -> None:
    others = {one.source for one in imports(session, site)} - {source}
    if others:
        raise DecisionRefusedError(
            f"What was typed at site {site} came from {', '.join(sorted(others))} before; taken over another way, each "
            "value would count as typed twice.",
            next_step="Go on as before, or delete the earlier imports first.",
        )


def _rows(
    session: Session, import_id: int, site: str, entries: Iterable[TypedEntry], *, source: str
) -> Iterable[TypedValueRow]:
    keys = keys_of(session)
    seen: Counter[tuple[str | int | None, ...]] = Counter()
    for entry in entries:
        content = _content(entry)
        seen[content] += 1
        place = (seen[content],) if entry.remote_id is None else (source, entry.remote_id)
        remote = None if entry.remote_id is None else keys.opaque("typed-remote", (site, *place)).hex()
        # The line is no part of it: lines move from one export to the next.
        identity = keys.opaque("typed", (site, *place, *content)).hex()
        text = encodable(_ENTRY.dump_json(entry).decode())
        yield TypedValueRow(import_id=import_id, site=site, identity=identity, remote=remote, value=text)


def _content(entry: TypedEntry) -> tuple[str | int | None, ...]:
    answers = () if entry.items is None else (len(entry.items), *entry.items)
    day = entry.administered_on.isoformat()
    return (entry.patient_id, entry.instrument, day, entry.total, entry.result, *answers)


def _known(session: Session, site: str) -> frozenset[str]:
    return frozenset(session.exec(select(TypedValueRow.identity).where(col(TypedValueRow.site) == site)))


def _replace_shown_otherwise(session: Session, rows: Sequence[TypedValueRow], *, now: datetime) -> None:
    shown = {row.remote: row.identity for row in rows if row.remote is not None}
    if not shown:
        return
    session.flush()
    for row in session.exec(select(TypedValueRow).where(col(TypedValueRow.remote).is_not(None))):
        if row.remote in shown:
            row.replaced_at = None if row.identity == shown[row.remote] else row.replaced_at or now
            session.add(row)


def _mark_gone(session: Session, site: str, shown: Collection[str | None], whole: Whole, *, now: datetime) -> None:
    standing = (col(TypedValueRow.remote).is_not(None), col(TypedValueRow.replaced_at).is_(None))
    for row in session.exec(select(TypedValueRow).where(col(TypedValueRow.site) == site, *standing)):
        entry = _ENTRY.validate_json(row.value)
        was_asked = entry.patient_id in whole.patients and entry.administered_on >= whole.first
        if was_asked and row.remote not in shown:
            row.replaced_at = now
            session.add(row)


def _import(row: TypedImportRow) -> TypedImport:
    return TypedImport(
        import_id=stored_id(row.id),
        site=row.site,
        source=row.source,
        sha256=row.sha256,
        listed=row.listed,
        added=row.added,
        imported_by=row.imported_by,
        imported_at=row.imported_at,
    )


def _audit(
    session: Session,
    action: str,
    site: str,
    object_id: str,
    *,
    actor: str,
    now: datetime,
    detail: tuple[tuple[str, str], ...],
) -> None:
    event = AuditEvent(
        actor=actor, action=action, object_kind="typed-values", object_id=object_id, detail=(("site", site), *detail)
    )
    audit.append(session, event, now=now)
