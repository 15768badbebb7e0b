"""What the readings of each template looked like: the usual ones, and those that were not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlmodel import Session, col, select

from records.layout import Landmark, LayoutChange, LayoutSignature
from store.serialised import changes_of, changes_text, signature_of, signature_text
from store.tables import SignatureRow

REMEMBERED: Final = 40
"""Readings that say what is usual: two months of working days, so that a season's habits are not soon forgotten."""

DRIFTED: Final = "template-drifted"
"""Kind of the notice that a template is held; its subject is the template's name."""


class LookState(StrEnum):
    """Whether later readings may look like this one."""

    USUAL = "usual"
    DRIFTED = "drifted"  # until a person releases the template


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one report looked like.

    Attributes:
        changes: How it differed from usual when it was read.
    """

    report_id: int
    template: str
    site: str
    state: LookState
    read_at: datetime
    changes: tuple[LayoutChange, ...]


def keep(
    session: Session,
    report_id: int,
    signature: LayoutSignature,
    *,
    site: str,
    changes: tuple[LayoutChange, ...],
    now: datetime,
) -> None:
    """Keep what a report looked like; what puts its template on hold is not usual. Kept once for each report."""
    known = session.exec(select(SignatureRow.id).where(col(SignatureRow.report_id) == report_id)).first()
    if known is not None:
        return
    state = LookState.DRIFTED if any(change.holds for change in changes) else LookState.USUAL
    session.add(
        SignatureRow(
            report_id=report_id,
            template=signature.template,
            site=site,
            state=state,
            read_at=now,
            signature=signature_text(signature),
            changes=changes_text(changes),
        )
    )
    session.flush()


def usual(session: Session, template: str, *, site: str) -> list[LayoutSignature]:
    """The latest usual readings of a template ("id@revision") at a site, oldest first; at most `REMEMBERED`."""
    query = select(SignatureRow.signature).where(
        col(SignatureRow.template) == template,
        col(SignatureRow.site) == site,
        col(SignatureRow.state) == LookState.USUAL,
    )
    newest = session.exec(query.order_by(col(SignatureRow.id).desc()).limit(REMEMBERED)).all()
    return [signature_of(text) for text in reversed(newest)]


def take_as_usual(session: Session, template: str) -> int:
    """A person has looked: what a template's readings have drifted to is usual from now on. Returns how many."""
    query = select(SignatureRow).where(
        col(SignatureRow.template) == template, col(SignatureRow.state) == LookState.DRIFTED
    )
    rows = session.exec(query).all()
    for row in rows:
        row.state = LookState.USUAL
        session.add(row)
    session.flush()
    return len(rows)


def latest(session: Session, template: str, *, limit: int = 1) -> list[Look]:
    """What the latest readings of a template ("id@revision") looked like, newest first."""
    query = select(SignatureRow).where(col(SignatureRow.template) == template)
    return [_look(row) for row in session.exec(query.order_by(col(SignatureRow.id).desc()).limit(limit))]


def of_report(session: Session, report_id: int) -> Look | None:
    """What a report looked like; None where nobody looked."""
    row = session.exec(select(SignatureRow).where(col(SignatureRow.report_id) == report_id)).first()
    return None if row is None else _look(row)


def landmarks(session: Session, report_id: int) -> tuple[Landmark, ...]:
    """Where the template's own words were found in a report; empty where nobody looked."""
    text = session.exec(select(SignatureRow.signature).where(col(SignatureRow.report_id) == report_id)).first()
    return () if text is None else signature_of(text).landmarks


def drifted(session: Session, template: str) -> list[Look]:
    """The readings that nobody has taken as usual yet, oldest first."""
    query = select(SignatureRow).where(
        col(SignatureRow.template) == template, col(SignatureRow.state) == LookState.DRIFTED
    )
    return [_look(row) for row in session.exec(query.order_by(col(SignatureRow.id)))]


def _look(row: SignatureRow) -> Look:
    return Look(
        report_id=row.report_id,
        template=row.template,
        site=row.site,
        state=LookState(row.state),
        read_at=row.read_at,
        changes=changes_of(row.changes),
    )
