"""A second clinic in the same store, whose people have names that nothing of the first one shares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from records.decision import Decision
from store import alerts, listings, roster, tokens, users
from store.database import Database
from store.users import Role
from tests.unit.review.review_clinic import (
    DESTINATIONS,
    PASSWORD,
    SITE,
    START,
    ZONE,
    Clinic,
    Row,
    answers,
    candidate,
    hand_in,
    identity,
    match_of,
    open_clinic,
    patient,
)

OTHER: Final = "WCP"
SITES: Final = {SITE: ZONE, OTHER: ZONE}
# Not one of these may be told to anybody who sees the first site only.
SECRETS: Final = (
    "Zwingli", "ZWINGLI", "Quirin", "WC-70707", "Xanthopoulos", "XANTHOPOULOS", "Ismene", "WC-80808", "W1", "W2",
    "other-clinic.pdf",
)  # fmt: skip
_ROSTER: Final = tuple(
    replace(one, site=OTHER)
    for one in (
        patient("W1", "Zwingli", "Quirin", date(1966, 6, 6), "WC-70707", "M"),
        patient("W2", "Xanthopoulos", "Ismene", date(1977, 7, 7), "WC-80808", "F"),
    )
)
_SURE: Final = match_of(
    candidate("W1", 0.97, ("name", "exact", 9.0)), candidate("W2", 0.01, ("name", "different", -9.0))
)
_ROWS: Final = (
    Row(
        who=identity("Zwingli, Quirin", date(1966, 6, 6), "WC-70707", "M"), match=_SURE,
        reasons=("patient-below-threshold",), items=answers(2, 3, 2, 2, 2, 2, 2, 1, 1), critical=True,
    ),
    Row(
        who=identity("Xanthopoulos, Ismene", date(1977, 7, 7), "WC-80808", "F"), match=match_of(),
        reasons=("patient-not-found",), total=3,
    ),
)  # fmt: skip
_SENT: Final = Row(
    who=identity("Zwingli, Quirin", date(1966, 6, 6), "WC-70707", "M"), match=_SURE, reasons=(), total=5,
    authored_on=date(2026, 11, 2),
)  # fmt: skip


@dataclass(frozen=True)
class OtherSite:
    """What of the second site has an id, by the parameter that names it in an address."""

    ids: dict[str, int]


def furnish_second(database: Database) -> OtherSite:
    """Give the store a second site with a roster, a report in review, one that was confirmed, and an alert."""
    now = START
    with database.session() as session:
        roster.replace(
            session, OTHER, _ROSTER, as_of=now - timedelta(hours=3), imported_from="other.csv", actor="setup", now=now,
            max_removed_share=1.0,
        )  # fmt: skip
    report_id = hand_in(database, _ROWS, now=now, site=OTHER, file_name="other-clinic.pdf")
    hand_in(database, (_SENT,), now=now, site=OTHER, file_name="other-clinic.pdf", decision=Decision.CONFIRMED)
    with database.session() as session:
        raised = alerts.raise_alert(
            session, alert_key="other", site=OTHER, report_id=report_id, position=0, instrument="phq-9", link_id="9",
            points=1, unverified=False, now=now,
        )  # fmt: skip
        assert raised is not None
        here = {OTHER}
        sent = listings.submissions_after(session, sites=here, after=0, limit=1)[0].submission
        return OtherSite(
            ids={
                "report_id": report_id,
                "case_id": listings.cases_after(session, sites=here, after=0, limit=1)[0].case_id,
                "record_id": listings.records_after(session, sites=here, after=0, limit=1)[0].record_id,
                "submission_id": sent.submission_id,
                "alert_id": raised.alert_id,
            }
        )


def open_both(home: Path) -> Clinic:
    """The pages and the API over both sites, which send to the same portal."""
    return open_clinic(home, sites=SITES, destinations_of=lambda _: DESTINATIONS)


def token_for(
    clinic: Clinic, role: Role, *, sites: set[str] | None = None, read_only: bool = False, user: str | None = None
) -> str:
    """The secret of a new token of a user who has this role."""
    name = user or f"robot-{role.value}"
    with clinic.database.session() as session:
        if user is None and name not in {one.name for one in users.list_users(session)}:
            users.add(session, name, PASSWORD, role, actor="setup", now=clinic.clock())
        made = len(tokens.list_tokens(session))
        _, secret = tokens.make(
            session, name=f"token-{made}", user=name, role=role, sites=sites, read_only=read_only,
            expires_at=clinic.clock() + timedelta(days=30), actor="ada", now=clinic.clock(),
        )  # fmt: skip
    return secret
