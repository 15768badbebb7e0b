"""From one case to the next: all that a person sees, or only those of one site or one cause."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from fastapi import Request

from review import bulk
from review.access import Visitor
from review.bulk import CaseGroup, Cause
from store import case_groups, case_locks, queue_order
from store.database import Session
from store.queue_order import Position

_MOST: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What a person goes through, as the address says it: codes and numbers only.

    Attributes:
        sites: Whose cases are met; None for all.
        site: The only site that is wanted, or empty.
        cause: Reason codes with commas, or "report-" and a number; empty for every cause.
    """

    sites: Collection[str] | None
    site: str = ""
    cause: str = ""
    _found: list[tuple[int, ...]] = field(default_factory=list, compare=False, repr=False)

    @classmethod
    def of(cls, request: Request, visitor: Visitor) -> Walk:
        """What the address of a page wants; a site that the visitor does not see is no site."""
        site, cause = request.query_params.get("site", "")[:64], request.query_params.get("cause", "")[:400]
        seen = visitor.user.sites
        if not site:
            return cls(sites=seen, cause=cause)
        return cls(sites=(site,) if visitor.sees(site) else (), site=site, cause=cause)

    @property
    def query(self) -> str:
        """The same as part of an address, with its question mark; empty for everything."""
        parts = {name: value for name, value in (("site", self.site), ("cause", self.cause)) if value}
        return f"?{urlencode(parts)}" if parts else ""

    def next(self, session: Session, *, actor: str, after: int | None, now: datetime) -> int | None:
        """The case after this one, past the last one from the beginning; None if there is no other."""
        if not self.cause:
            return queue_order.next_case(session, actor=actor, sites=self.sites, after=after, now=now)
        ids = self.ids(session)
        start = ids.index(after) + 1 if after in ids else 0
        around = (*ids[start:], *ids[:start])
        return next((one for one in around if one != after and self._is_free(session, one, actor, now)), None)

    def previous(self, session: Session, *, actor: str, before: int, now: datetime) -> int | None:
        """The case before this one, or None at the beginning."""
        if not self.cause:
            return queue_order.previous_case(session, actor=actor, sites=self.sites, before=before, now=now)
        ids = self.ids(session)
        return ids[ids.index(before) - 1] if before in ids[1:] else None

    def position(self, session: Session, case_id: int, *, actor: str, now: datetime) -> Position:
        """Where a case stands among those that are met."""
        if not self.cause:
            return queue_order.position(session, case_id, actor=actor, sites=self.sites, now=now)
        ids = self.ids(session)
        return Position(place=ids.index(case_id) + 1 if case_id in ids else None, waiting=len(ids))

    def group(self, session: Session) -> CaseGroup | None:
        """The group that is wanted, or None if it is gone."""
        return next((one for one in bulk.groups(session, sites=self.sites) if cause_of(one) == self.cause), None)

    def ids(self, session: Session) -> tuple[int, ...]:
        """The cases of the group that is wanted, oldest first, as they were when this was first asked."""
        if not self._found:
            group = self.group(session)
            self._found.append(case_groups.case_ids(session, group, limit=_MOST) if group else ())
        return self._found[0]

    @staticmethod
    def _is_free(session: Session, case_id: int, actor: str, now: datetime) -> bool:
        lock = case_locks.current(session, case_id, actor=actor, now=now)
        return lock.holder is None or lock.is_mine


def cause_of(group: CaseGroup) -> str:
    """The cause of a group as an address says it."""
    return f"report-{group.report_id}" if group.cause is Cause.REPORT else ",".join(group.reasons)
