"""A store after fifty days of work, filled in a minute: what the benches of the pages look at.

The rows are those that the pipeline leaves. Every report has its document in the archive, so that pages are drawn as
in a clinic; a share of the records waits for a person, some of them with an answer about self-harm.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import insert

from records.audit import AuditEvent
from records.decision import MatchDecision
from records.submission import DeliveryState
from store import audit, balance, roster, users
from store.archive import Archive
from store.database import Database, Session, create
from store.serialised import assessment_text, codes_text, match_text
from store.settings import StoreSettings
from store.tables import CaseRow, RecordRow, ReportRow, SubmissionRow, table_of
from store.users import Role
from tests.unit.review.day_clinic import LISTING, automatic, waits
from tests.unit.review.review_clinic import PASSWORD, SITE, ZONE, patient, report_pdf

_DAYS: Final = 50
_PATIENTS: Final = 1999  # no factor in common with how often a record waits: each case is about somebody else
_PER_REPORT: Final = 100
_PER_PAGE: Final = 20


def fill(home: Path, *, records: int, waiting: int, reviewers: int, now: datetime) -> None:
    """Make the store at a place where there is none; its reviewers are called reviewer0, reviewer1, …"""
    with create(StoreSettings(home=home), now=now) as database:
        _fill(database, records=records, waiting=waiting, reviewers=reviewers, now=now)


def _fill(database: Database, *, records: int, waiting: int, reviewers: int, now: datetime) -> None:
    today, every = now.astimezone(ZONE).date(), max(records // waiting, 1)
    per_day = -(-records // _DAYS)
    with database.session() as session:
        for number in range(reviewers):
            users.add(session, f"reviewer{number}", PASSWORD, Role.REVIEWER, actor="bench", now=now)
        people = [
            patient(
                f"D{number}", f"Family{number}", "Ada", date(1950, 1, 1) + timedelta(days=number), f"M-{number}", "F"
            )
            for number in range(1, _PATIENTS + 1)
        ]
        roster.replace(
            session, SITE, people, as_of=now, imported_from="bench.csv", actor="bench", now=now, max_removed_share=1.0
        )
    for back in range(_DAYS):
        with database.session() as session:
            _fill_day(
                session,
                database.archive,
                today - timedelta(days=back),
                first=back * per_day,
                count=per_day,
                every=every,
                now=now,
            )
            events = [
                AuditEvent(actor="service", action="record.confirmed", object_kind="record", object_id=str(number))
                for number in range(back * per_day, (back + 1) * per_day)
            ]
            audit.append_many(session, tuple(events), now=now)
    with database.session() as session:
        wrong, count = balance.look_at_all(session)
        balance.keep_check(session, wrong=wrong, reports=count, now=now)


def _fill_day(
    session: Session, archive: Archive, day: date, *, first: int, count: int, every: int, now: datetime
) -> None:
    came = min(datetime(day.year, day.month, day.day, 7, tzinfo=ZONE).astimezone(UTC), now - timedelta(minutes=9))
    assessments = [assessment_text(automatic(1).assessment(row)) for row in range(_PER_PAGE)]
    certain, unsure = match_text(automatic(1).match), waits(1).match
    reports, kept, cases, messages = [], [], [], []
    for number in range(first + 1, first + count + 1):
        report_id, position = (number - 1) // _PER_REPORT + 1, (number - 1) % _PER_REPORT
        seen = came + timedelta(minutes=(report_id * 37) % 480)
        assessed = assessments[position % _PER_PAGE]
        if position == 0:
            rows = tuple(automatic(number + row) for row in range(_PER_PAGE))
            kept_at = archive.put(report_pdf(rows))
            reports.append({
                "id": report_id, "site": SITE, "source": LISTING, "file_name": "s.pdf", "path": "/print/s.pdf",
                "sha256": f"{report_id:064}", "identity": f"{report_id:064}", "size_bytes": 9, "seen_at": seen,
                "state": "handed-over", "template": "riverside-summary@3", "pages": 4, "no_score": 0,
                "printed": min(_PER_REPORT, first + count - number + 1), "reasons": "[]", "findings": "[]",
                "attempts": 1, "day": day, "attention": False,
                "document_id": kept_at.document_id, "wrapped_key": kept_at.wrapped_key,
            })  # fmt: skip
        review = number % every == 0
        kept.append({
            "id": number, "report_id": report_id, "site": SITE, "position": position, "day": day,
            "state": "review" if review else "confirmed", "fingerprint": f"f{number}", "printed_key": f"k{number}",
            "assessment_key": None if review else f"a{number}", "occurrence": 1, "revision": 1,
            "external_id": None if review else f"e{number}", "values_digest": f"v{number}", "read_digest": f"v{number}",
            "patient_id": None if review else f"D{number % _PATIENTS + 1}", "assessment": assessed, "as_read": assessed,
            "match": match_text(_about(unsure, number)) if review else certain,
            "reasons": codes_text(("patient-below-threshold",) if review else ()),
            "confirmed_by": None if review else "service", "confirmed_at": None if review else seen,
        })  # fmt: skip
        if review:
            cases.append({
                "record_id": number, "report_id": report_id, "site": SITE, "version": 1, "state": "open",
                "reasons": codes_text(("patient-below-threshold",)), "opened_at": seen,
                "critical": number % (every * 100) == 0,
            })  # fmt: skip
            continue
        messages.append({
            "record_id": number, "site": SITE, "destination": "portal", "patient_id": f"D{number % _PATIENTS + 1}",
            "sequence": number, "external_id": f"e{number}", "revision": 1, "status": "final", "assessment": assessed,
            "confirmed_by": "service", "payload": b"{}" * 300, "idempotency_key": f"i{number}",
            "state": DeliveryState.DELIVERED, "attempts": 1, "due_at": seen, "was_unknown": False, "created_at": seen,
            "remote_id": f"r{number}", "received_at": seen + timedelta(seconds=30 + number % 90), "found": False,
        })  # fmt: skip
    connection = session.connection()
    for kind, rows in ((ReportRow, reports), (RecordRow, kept), (CaseRow, cases), (SubmissionRow, messages)):
        if rows:
            connection.execute(insert(table_of(kind)), rows)


def _about(match: MatchDecision, number: int) -> MatchDecision:
    """The same doubt about other patients, so that each case is decided for somebody else."""
    people = [f"D{(number + one * 7) % _PATIENTS + 1}" for one in range(len(match.candidates))]
    candidates = tuple(
        replace(one, patient_id=patient_id) for one, patient_id in zip(match.candidates, people, strict=True)
    )
    return replace(match, patient_id=people[0], candidates=candidates)
