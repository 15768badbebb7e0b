"""At which site something is: asked before it is shown to, or changed by, somebody who sees certain sites only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import sqlalchemy
from sqlmodel import Session

from store.day_tables import DaySignOffRow
from store.learning_tables import BlindAuditRow
from store.shadow_tables import TypedValueRow
from store.tables import AlertRow, CaseRow, RecordRow, ReportRow, StoreTable, SubmissionRow, table_of

LARGEST: Final = 2**31 - 1  # what an id column holds on PostgreSQL; nothing has a larger number
_TABLES: Final[Mapping[str, type[StoreTable]]] = {
    "alert": AlertRow,
    "case": CaseRow,
    "day_sign_off": DaySignOffRow,
    "record": RecordRow,
    "report": ReportRow,
    "submission": SubmissionRow,
    "task": BlindAuditRow,
    "typed": TypedValueRow,
}
KINDS: Final = frozenset(_TABLES)


def site_of(session: Session, kind: str, number: int) -> str | None:
    """The site of something with an id of its own, or None if there is nothing of this kind with it.

    Args:
        kind: One of `KINDS`.
    """
    if not 0 < number <= LARGEST:
        return None
    columns = table_of(_TABLES[kind]).c
    query = sqlalchemy.select(columns.site).where(columns.id == number)
    return session.connection().execute(query).scalar_one_or_none()
