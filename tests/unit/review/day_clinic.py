"""A clinic on a working day: sources of two sites, records in every place, a drifted layout, urgent answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path

from fastapi import FastAPI

from matching.normalisation import fingerprint
from records.decision import DecidedRecord, Decision, MatchGrade
from records.layout import ChangeKind, LayoutChange, LayoutSignature
from records.printed_file import PrintedFile
from records.submission import DeliveryReceipt
from review.day_surroundings import CallRung, DaySurroundings
from review.page_images import Render
from review.settings import WebSettings
from review.web import create_app
from store import alert_tellings, alerts, balance, day_signing, notices, outbox, reports, roster, signatures, templates
from store.database import Database, Session, open_existing
from store.day_sources import WatchedSource
from store.handover import ReadOutcome, RecordToStore, hand_over
from store.settings import StoreSettings
from store.templates import TemplateState
from tests.unit.review.review_clinic import (
    DESTINATIONS,
    KOWALSKI,
    SITE,
    START,
    TODAY,
    ZONE,
    Clinic,
    Clock,
    Row,
    answers,
    candidate,
    draw,
    furnish,
    identity,
    match_of,
)

EAST = "EAST"
EIGHT = datetime.combine(TODAY, time(8), tzinfo=ZONE)
LISTING, WEEKLY = f"{SITE}:/print/listing", f"{SITE}:/print/weekly"
EASTERN, SILENT = f"{EAST}:/print/east", f"{EAST}:/print/silent"
SOURCES = (
    WatchedSource(name="print", site=SITE, folder="print", zone=ZONE),
    WatchedSource(name=LISTING, site=SITE, folder="listing", zone=ZONE, expected_by=time(6, 30)),
    WatchedSource(name=WEEKLY, site=SITE, folder="weekly", zone=ZONE, expected_by=time(7)),
    WatchedSource(name=EASTERN, site=EAST, folder="east", zone=ZONE, expected_by=time(6, 30)),
    WatchedSource(name=SILENT, site=EAST, folder="silent", zone=ZONE, expected_by=time(7, 15)),
)
RUNGS = (
    CallRung(after=timedelta(0), channels=("pager",)),
    CallRung(after=timedelta(minutes=30), channels=("pager", "mail")),
)
_numbers = count(1)


def automatic(number: int) -> Row:
    """A record whose patient is certain."""
    who = identity(f"Synthetic{number}, Ada", date(1970, 1, 1) + timedelta(days=number), f"M-{number}", "F")
    match = match_of(candidate(f"P{number}", 0.9999, ("name", "exact", 9.0), ("mrn", "exact", 19.0)), reasons=())
    return Row(who=who, match=replace(match, grade=MatchGrade.CERTAIN), reasons=(), total=9)


def print_report(
    database: Database,
    rows: Iterable[Row],
    *,
    source: str,
    seen_at: datetime,
    template: str = "riverside-summary@3",
    site: str = SITE,
    day: date | None = None,
    pages: int = 2,
    destinations: tuple[str, ...] = DESTINATIONS,
    content: str | None = None,
) -> int:
    """Hand a report over: a row with reasons waits for a person, one without is confirmed. Returns its id."""
    content = content or f"report {next(_numbers)}"
    printed = PrintedFile(
        path="/print/scores.pdf",
        sha256=sha256(content.encode()).hexdigest(),
        size_bytes=len(content),
        seen_at=seen_at,
        site=site,
    )
    with database.session() as session:
        report = reports.take(session, printed, source=source, file_name="scores.pdf", archived=None)
        outcome = ReadOutcome(
            template=template,
            pages=pages,
            no_score=0,
            findings=(),
            records=tuple(_record(row, number) for number, row in enumerate(rows)),
            destinations=destinations,
            day=day or seen_at.astimezone(ZONE).date(),
        )
        hand_over(session, report.report_id, outcome, now=seen_at)
    return report.report_id


def _record(row: Row, number: int) -> RecordToStore:
    decision = Decision.REVIEW if row.reasons else Decision.CONFIRMED
    decided = DecidedRecord(
        assessment=row.assessment(number % 20), match=row.match, decision=decision, reasons=row.reasons
    )
    return RecordToStore(decided=decided, fingerprint=fingerprint(row.who))


def quarantine(database: Database, *, source: str, site: str, seen_at: datetime) -> int:
    """A file that could not be read."""
    printed = PrintedFile(path="/print/cut.pdf", sha256="c" * 64, size_bytes=9, seen_at=seen_at, site=site)
    with database.session() as session:
        return reports.quarantine_file(
            session, printed, source=source, file_name="cut.pdf", reason="damaged", now=seen_at
        ).report_id


def deliver(session: Session, *, now: datetime, limit: int, dead: int = 0) -> None:
    """Deliver the oldest messages within a minute; the first `dead` of them are refused."""
    claimed = outbox.claim_due(
        session, now=now, lease=timedelta(minutes=5), limit=limit, owner="sender", destinations=DESTINATIONS
    )
    for number, one in enumerate(claimed):
        if number < dead:
            outbox.mark_dead(session, one.submission_id, reason="422", owner="sender", now=now)
            continue
        receipt = DeliveryReceipt(
            remote_id=f"r{one.submission_id}", version="1", http_status=201,
            received_at=one.created_at + timedelta(seconds=20 + one.submission_id % 97),
        )  # fmt: skip
        outbox.mark_delivered(session, one.submission_id, receipt, owner="sender", now=now)


def drift(session: Session, report_id: int, template: str, *, now: datetime) -> None:
    """The layout of a report has changed, and its template is held."""
    name, _, revision = template.partition("@")
    templates.set_state(session, name, int(revision), TemplateState.HELD, actor="service", now=now)
    told = "A column is headed “Chart no.” in place of “Client ID”."
    change = LayoutChange(kind=ChangeKind.RENAMED, sentence=told, holds=True)
    signature = LayoutSignature(template=template, pages=2, sheet=(612, 792), landmarks=())
    signatures.keep(session, report_id, signature, site=SITE, changes=(change,), now=now)
    notices.leave(session, signatures.DRIFTED, template, f"Template {template} is on hold. {told}", now=now)


def busy(home: Path) -> Clinic:
    """Eight in the evening of a working day, with something everywhere."""
    furnish(home)
    clinic = opened(home)
    database, clock = clinic.database, clinic.clock
    numbers = iter(range(1, 10_000))
    with database.session() as session:
        for name in ("riverside-summary", "northgate-weekly"):
            templates.register(
                session, name, 3, sha256="0" * 64, state=TemplateState.LIVE, actor="tom", now=START - timedelta(days=30)
            )
        roster.replace(
            session, EAST, (), as_of=START, imported_from="east.csv", actor="setup", now=START, max_removed_share=1.0
        )
    for back in range(13, 0, -1):
        came = EIGHT - timedelta(days=back)
        rows = [automatic(next(numbers)) for _ in range(20)]
        if back % 3 == 0:
            rows.append(waits(next(numbers)))
        print_report(database, rows, source=WEEKLY, seen_at=came, template="northgate-weekly@3")
    for hour, size in enumerate((12, 34, 42, 30, 21, 16, 38, 48, 53)):
        rows = [automatic(next(numbers)) for _ in range(size)] + [waits(next(numbers)) for _ in range(hour % 3)]
        site, source = (EAST, EASTERN) if hour % 4 == 3 else (SITE, LISTING)
        print_report(database, rows, source=source, site=site, seen_at=EIGHT + timedelta(hours=hour), pages=3 + hour)
    odd = [automatic(next(numbers)) for _ in range(14)] + [waits(next(numbers), "template-held") for _ in range(25)]
    late = EIGHT + timedelta(hours=9, minutes=52)
    report_id = print_report(database, odd, source=WEEKLY, seen_at=late, template="northgate-weekly@3", pages=14)
    quarantine(database, source=EASTERN, site=EAST, seen_at=EIGHT + timedelta(hours=2))
    clock.moment = EIGHT + timedelta(hours=10, minutes=24)
    with database.session() as session:
        drift(session, report_id, "northgate-weekly@3", now=late)
        deliver(session, now=clock(), limit=4000, dead=0)
        osei = urgent_record(session, database, clock)
        alert_tellings.mark_told(
            session, osei, round_=1, channel="pager", step=1, receipt="http-202", now=clock() - timedelta(minutes=52)
        )
        alert_tellings.mark_failed(session, [(clinic.alert_id, 1, 1)], channel="mail", fault="unreachable", now=clock())
        wrong, kept = balance.look_at_all(session)
        balance.keep_check(session, wrong=wrong, reports=kept, now=clock())
    more = [automatic(next(numbers)) for _ in range(15)]
    print_report(database, more, source=LISTING, seen_at=clock() - timedelta(minutes=5))
    with database.session() as session:
        deliver(session, now=clock(), limit=6, dead=3)
    return clinic


def urgent_record(session: Session, database: Database, clock: Clock) -> int:
    """A confirmed answer about self-harm, raised 53 minutes ago; returns the alert."""
    raised = clock() - timedelta(minutes=53)
    match = match_of(candidate("D4", 0.9999, ("name", "exact", 9.0), ("mrn", "exact", 19.0)), reasons=())
    row = Row(
        who=identity("Osei, Hannah", date(1991, 6, 9), "BH-50021", "F"),
        match=replace(match, grade=MatchGrade.CERTAIN),
        reasons=(),
        items=answers(1, 1, 1, 1, 1, 1, 1, 1, 2),
        critical=True,
        total=10,
    )
    printed = PrintedFile(path="/print/u.pdf", sha256="e" * 64, size_bytes=9, seen_at=raised, site=SITE)
    report = reports.take(session, printed, source=LISTING, file_name="u.pdf", archived=None)
    raised_alert = alerts.raise_alert(
        session, alert_key="osei", site=SITE, report_id=report.report_id, position=0, instrument="phq-9", link_id="9",
        points=2, unverified=False, now=raised,
    )  # fmt: skip
    assert raised_alert is not None
    outcome = ReadOutcome(
        template="riverside-summary@3", pages=1, no_score=0, findings=(), records=(_record(row, 0),),
        destinations=DESTINATIONS, day=raised.astimezone(ZONE).date(),
    )  # fmt: skip
    hand_over(session, report.report_id, outcome, now=raised)
    return raised_alert.alert_id


def waits(number: int, reason: str = "patient-below-threshold") -> Row:
    """A record that a person is to decide."""
    return replace(automatic(number), match=KOWALSKI, reasons=(reason,))


def empty(home: Path) -> Clinic:
    """A quarter to seven: nothing has come yet, yesterday something did."""
    furnish(home)
    clinic = opened(home)
    for back in (1, 2, 3):
        seen = EIGHT - timedelta(minutes=50 - back, days=back)
        print_report(clinic.database, [automatic(back)], source=LISTING, seen_at=seen)
    clinic.clock.moment = datetime.combine(TODAY + timedelta(days=3), time(6, 45), tzinfo=ZONE).astimezone(UTC)
    return clinic


def opened(home: Path, *, health: dict[str, object] | None = None) -> Clinic:
    """The pages over a store of two sites."""
    clock = Clock()
    database = open_existing(StoreSettings(home=home))
    with database.reading() as session:
        alert = alerts.list_alerts(session, open_only=True)[0]
    app = over_store(database, now=clock, health=health)
    return Clinic(
        database=database, clock=clock, app=app, report_id=alert.report_id, case_ids=[], alert_id=alert.alert_id
    )


def over_store(
    database: Database,
    *,
    now: Callable[[], datetime],
    health: dict[str, object] | None = None,
    render: Render = draw,
) -> FastAPI:
    """The pages of the two sites over any store."""
    return create_app(
        database=database,
        settings=WebSettings(),
        render=render,
        sites={SITE: ZONE, EAST: ZONE},
        destinations_of=lambda _site: DESTINATIONS,
        now=now,
        metrics=None,
        health=None if health is None else lambda: health,
        day=DaySurroundings(sources=SOURCES, rungs=RUNGS),
    )


def sign_today(clinic: Clinic, *, note: str = "The rest is for tomorrow.", name: str = "Ada Admin") -> int:
    """Sign the day of the first site as it is; returns the number of the signature."""
    day, now = clinic.clock().astimezone(ZONE).date(), clinic.clock()
    with clinic.database.session() as session:
        shown = day_signing.present(session, site=SITE, day=day, zone=ZONE, watched=SOURCES, now=now)
        return day_signing.sign(
            session, shown, name=name, note=note, sha256_seen=shown.sha256, actor="ada", now=now
        ).sign_off_id
