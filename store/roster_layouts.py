"""Which columns of a site's lists people have chosen, and giving a choice up; the settings file is not known here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from records.audit import AuditEvent
from store import audit
from store.chosen_tables import RosterLayoutRow
from store.context import stored_id
from store.serialised import encodable

_COLUMN: Final = "column."
_DATE_FORMAT: Final = "date_format"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLayout:
    """Columns and dates of a list as a person names them.

    Attributes:
        columns: Field to the header it stands under; "" for a field that is not taken from the file.
        date_format: `strptime` format of all dates, or None to tell it from the dates.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    date_format: str | None = None

    @property
    def arguments(self) -> dict[str, str]:
        """As arguments of a work request."""
        named = {f"{_COLUMN}{name}": header for name, header in self.columns.items()}
        return named | {_DATE_FORMAT: self.date_format or ""}


NOTHING_CHOSEN: Final = ListLayout()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenLayout:
    """What somebody has chosen for the lists of a site, and when."""

    layout: ListLayout
    chosen_by: str
    chosen_at: datetime


def of_arguments(arguments: Mapping[str, str]) -> ListLayout | None:
    """What was chosen for the list of one work request, or None if nothing was."""
    columns = {name.removeprefix(_COLUMN): header for name, header in arguments.items() if name.startswith(_COLUMN)}
    return ListLayout(columns=columns, date_format=arguments.get(_DATE_FORMAT) or None) if columns else None


def chosen(session: Session, site: str) -> ChosenLayout | None:
    """What counts for a site, or None if nobody has chosen anything or it was given up."""
    row = _latest(session, site)
    layout = NOTHING_CHOSEN if row is None else ListLayout(columns=_columns(row), date_format=row.date_format)
    if row is None or not layout.columns:
        return None
    return ChosenLayout(layout=layout, chosen_by=row.chosen_by, chosen_at=row.chosen_at)


def in_use(session: Session, site: str) -> ListLayout:
    """What counts for a site; nothing chosen where nobody has."""
    found = chosen(session, site)
    return NOTHING_CHOSEN if found is None else found.layout


def latest_id(session: Session, site: str) -> int:
    """Number of the latest choice of a site, given up or not; 0 if there never was one."""
    row = _latest(session, site)
    return 0 if row is None else stored_id(row.id)


def keep(session: Session, site: str, layout: ListLayout, *, actor: str, now: datetime) -> None:
    """Keep a choice for every later list of a site; the one that counts already is not kept twice."""
    if in_use(session, site) == layout:
        return
    _add(session, site, layout, actor=actor, now=now)
    # Names of our own fields only: a header is the clinic's, and nobody knows what stands in it.
    named = " ".join(name for name, header in layout.columns.items() if header)
    detail = (("fields", named), ("dates", layout.date_format or "as they show"))
    _audit(session, site, "roster.columns-chosen", detail, actor=actor, now=now)


def forget(session: Session, site: str, *, actor: str, now: datetime) -> bool:
    """Give a choice up: headers are understood by their words again. False if there was none."""
    if chosen(session, site) is None:
        return False
    _add(session, site, NOTHING_CHOSEN, actor=actor, now=now)
    _audit(session, site, "roster.columns-forgotten", (), actor=actor, now=now)
    return True


def _add(session: Session, site: str, layout: ListLayout, *, actor: str, now: datetime) -> None:
    columns = encodable(json.dumps(dict(layout.columns), sort_keys=True, ensure_ascii=False))
    row = RosterLayoutRow(site=site, columns=columns, date_format=layout.date_format, chosen_by=actor, chosen_at=now)
    session.add(row)
    session.flush()


def _latest(session: Session, site: str) -> RosterLayoutRow | None:
    query = select(RosterLayoutRow).where(col(RosterLayoutRow.site) == site)
    return session.exec(query.order_by(col(RosterLayoutRow.id).desc()).limit(1)).first()


def _columns(row: RosterLayoutRow) -> dict[str, str]:
    return {str(name): str(header) for name, header in json.loads(row.columns).items()}


def _audit(
    session: Session, site: str, action: str, detail: tuple[tuple[str, str], ...], *, actor: str, now: datetime
) -> None:
    event = AuditEvent(actor=actor, action=action, object_kind="roster", object_id=site, detail=detail)
    audit.append(session, event, now=now)
