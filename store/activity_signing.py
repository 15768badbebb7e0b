"""Weeks of activity that somebody reviewed and signed, frozen and hashed: 45 CFR 164.308(a)(1)(ii)(D)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from hashlib import sha256
from typing import Final

from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.errors import DecisionRefusedError
from store import audit
from store.activity import WEEK_AS_JSON, WeekOfActivity, activity, week_of
from store.audit_tables import ActivityReviewRow, AuditRow
from store.serialised import encodable

_WEEK: Final = timedelta(days=7)
_MOST_WEEKS: Final = 312  # six years, as long as the rule wants the trail kept
_LONGEST_NOTE: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityReview:
    """A week as it was signed.

    Attributes:
        note: What the person found, in their own words.
        intact: The text that is kept still has the hash that was signed.
    """

    activity: WeekOfActivity
    sha256: str
    note: str
    signed_by: str
    signed_at: datetime
    intact: bool

    @property
    def is_own(self) -> bool:
        """Whether what the signer did is part of the week: nobody without a part in it could sign."""
        return self.activity.is_in(self.signed_by)


def uninvolved(told: WeekOfActivity, signers: Iterable[str]) -> tuple[str, ...]:
    """Those of the people who may sign whose own activity is not in the week, by name."""
    return tuple(sorted(name for name in signers if not told.is_in(name)))


def sign(
    session: Session, week: date, *, zone: tzinfo, note: str, sha256_seen: str, signers: Iterable[str], actor: str,
    now: datetime,
) -> ActivityReview:  # fmt: skip
    """Freeze a week under the name of whoever reviewed it.

    Nobody reviews what they did themselves while somebody could sign whose activity is not in the week. If there is
    no such person, the sign-off says so.

    Args:
        note: What was found, also if that is nothing; no patient data.
        sha256_seen: Hash of the figures that the person had before them.
        signers: Names of the enabled users who may sign.

    Raises:
        DecisionRefusedError: It is no Monday, the week is not over, it is signed, the note is missing, or what is
            signed is not what was shown, or somebody else must sign.
    """
    if not note.strip():
        raise DecisionRefusedError("The note is missing.", next_step="Say in a few words what you found.")
    if week.weekday() or week >= week_of(now, zone):
        raise DecisionRefusedError("This week is not over.", next_step="Sign it when it is.")
    if session.get(ActivityReviewRow, week) is not None:
        raise DecisionRefusedError("This week is signed already.", next_step="Reload the page.")
    shown = activity(session, week, zone=zone)
    if shown.sha256 != sha256_seen:
        raise DecisionRefusedError("The figures have changed since they were shown.", next_step="Look at them again.")
    if shown.is_in(actor) and (others := uninvolved(shown, signers)):
        raise DecisionRefusedError(
            "Your own activity is in this week.",
            next_step=f"Somebody else signs it: {', '.join(others)}.",
            code="own-activity",
        )
    row = ActivityReviewRow(
        week=week,
        snapshot=shown.text,
        sha256=shown.sha256,
        note=encodable(note.strip()[:_LONGEST_NOTE]),
        signed_by=actor,
        signed_at=now,
    )
    session.add(row)
    session.flush()
    event = AuditEvent(
        actor=actor,
        action="activity.reviewed",
        object_kind="activity",
        object_id=week.isoformat(),
        detail=(("sha256", row.sha256), *((("own-activity", "True"),) if shown.is_in(actor) else ())),
    )
    audit.append(session, event, now=now)
    return _review(row)


def review_of(session: Session, week: date) -> ActivityReview | None:
    """The signed review of a week, or None."""
    row = session.get(ActivityReviewRow, week)
    return None if row is None else _review(row)


def reviews(session: Session) -> list[ActivityReview]:
    """Signed weeks, the latest first."""
    query = select(ActivityReviewRow).order_by(col(ActivityReviewRow.week).desc())
    return [_review(row) for row in session.exec(query)]


def unsigned_weeks(session: Session, *, zone: tzinfo, now: datetime) -> list[date]:
    """Weeks that are over and that nobody has signed, the latest first, from the first event on."""
    first = session.exec(select(AuditRow).order_by(col(AuditRow.at), col(AuditRow.seq)).limit(1)).first()
    if first is None:
        return []
    signed = set(session.exec(select(col(ActivityReviewRow.week))))
    week, begun = week_of(now, zone) - _WEEK, week_of(audit.chained(first).at, zone)
    found = []
    for _ in range(_MOST_WEEKS):
        if week < begun:
            break
        found += [] if week in signed else [week]
        week -= _WEEK
    return found


def _review(row: ActivityReviewRow) -> ActivityReview:
    return ActivityReview(
        activity=WEEK_AS_JSON.validate_json(row.snapshot),
        sha256=row.sha256,
        note=row.note,
        signed_by=row.signed_by,
        signed_at=row.signed_at,
        intact=sha256(row.snapshot.encode()).hexdigest() == row.sha256,
    )
