"""Files that wait to be read, of whatever day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from store.reports import ReportState
from store.tables import ReportRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Files that nobody has read yet.

    Attributes:
        site: Of the oldest one.
        since: When the oldest one came.
    """

    count: int
    site: str
    since: datetime


def unread(session: Session, *, sites: Collection[str]) -> Unread | None:
    """The files of these sites that wait to be read or are being read; None if there are none."""
    query = (
        select(ReportRow.site, func.min(col(ReportRow.seen_at)), func.count())
        .where(col(ReportRow.state).in_((ReportState.WAITING, ReportState.READING)), col(ReportRow.site).in_(sites))
        .group_by(col(ReportRow.site))
    )
    found = [(since, site, count) for site, since, count in session.exec(query) if since is not None]
    if not found:
        return None
    since, site, _ = min(found)
    return Unread(count=sum(count for _, _, count in found), site=site, since=since)
