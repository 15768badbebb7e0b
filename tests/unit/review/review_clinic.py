"""A small invented clinic: one report in a real encrypted store, and the pages over it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Lock
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from reportlab.pdfgen.canvas import Canvas

from ingest.roster_sample import sample
from ingest.settings import SiteSettings
from matching.normalisation import fingerprint
from parsers.readers import pdfium_picture
from records.assessment import ItemScore, ItemState, SymptomAssessment
from records.decision import Candidate, DecidedRecord, Decision, Evidence, MatchDecision, MatchGrade
from records.finding import Finding
from records.geometry import Region
from records.patient import PatientIdentity, RosterPatient
from records.picture import DrawnPage
from records.printed_file import PrintedFile
from records.submission import DestinationMode
from review.page_images import Render
from review.provider import Provider
from review.settings import WebSettings
from review.setup import (
    CredentialSetup,
    DestinationSetup,
    PatientListSetup,
    SettingsSection,
    Setup,
    SourceSetup,
)
from review.web import create_app
from store import alerts, blind_audit, cases, reports, roster, template_drafts, templates, users, work_requests
from store.database import Database, create, open_existing
from store.handover import ReadOutcome, RecordToStore, hand_over
from store.settings import StoreSettings
from store.templates import TemplateState
from store.users import Role
from store.work_requests import WorkKind

SITE = "RBH"
PASSWORD = "correct horse battery"
TODAY = date(2026, 11, 20)
START = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/Chicago")
DESTINATIONS = ("portal",)
STAFF = {
    "rosa": Role.REVIEWER,
    "sam": Role.REVIEWER,
    "carla": Role.CLINICIAN,
    "vera": Role.VIEWER,
    "tom": Role.TEMPLATE_AUTHOR,
    "ada": Role.ADMINISTRATOR,
    "odo": Role.AUDITOR,
}


@dataclass
class Clock:
    """A clock that a test sets."""

    moment: datetime = START

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, span: timedelta) -> None:
        self.moment += span


def patient(
    patient_id: str, family: str, given: str, born: date, mrn: str, sex: str, **more: str | bool
) -> RosterPatient:
    return replace(
        RosterPatient(patient_id=patient_id, site=SITE, family=family, given=given, birth_date=born, mrn=mrn, sex=sex),
        **more,
    )


ROSTER = (
    patient("D1", "Kowalski", "Tomasz", date(1987, 3, 14), "BH-40771", "M"),
    patient("D2", "Kowalsky", "Thomas", date(1978, 11, 3), "BH-31772", "M"),
    patient("D3", "Kowalczyk", "Thomas", date(1989, 3, 14), "BH-47710", "M"),
    patient("D4", "Osei", "Hannah", date(1991, 6, 9), "BH-50021", "F", preferred="Anna", former_family="Mensah"),
    patient("D5", "Moreau", "Sofia", date(1958, 2, 28), "BH-44702", "F", middle="Luz"),
    patient("D6", "Reyes", "Marco", date(2001, 12, 1), "BH-60001", "M"),
    patient("D7", "Reyes", "Mario", date(2001, 12, 1), "BH-60002", "M"),
    patient("D8", "Vance", "Ruth", date(1944, 4, 4), "BH-41377", "F", active=False),
)


def identity(name: str, born: date | None, mrn: str | None, sex: str | None = None) -> PatientIdentity:
    family, _, given = name.partition(", ")
    return PatientIdentity(name=name, family=family or None, given=given or None, birth_date=born, mrn=mrn, sex=sex)


def candidate(
    patient_id: str, probability: float, *levels: tuple[str, str, float], reasons: tuple[str, ...] = ()
) -> Candidate:
    evidence = tuple(Evidence(identifier=who, level=level, weight=weight) for who, level, weight in levels)
    return Candidate(
        patient_id=patient_id,
        grade=MatchGrade.PROBABLE if probability > 0.5 else MatchGrade.POSSIBLE,
        probability=probability,
        score=sum(one.weight for one in evidence),
        evidence=evidence,
        reasons=reasons,
    )


def match_of(*found: Candidate, reasons: tuple[str, ...] = ("patient-below-threshold",)) -> MatchDecision:
    if not found:
        return MatchDecision(
            grade=MatchGrade.CERTAINLY_NOT,
            patient_id=None,
            probability=0,
            runner_up=0,
            candidates=(),
            reasons=("patient-not-found",),
        )
    return MatchDecision(
        grade=found[0].grade,
        patient_id=found[0].patient_id,
        probability=found[0].probability,
        runner_up=found[1].probability if len(found) > 1 else 0.0,
        candidates=found,
        reasons=reasons,
    )


def answers(*points: int | None, row: Region | None = None) -> tuple[ItemScore, ...]:
    return tuple(
        ItemScore(
            link_id=str(number),
            state=ItemState.BLANK if value is None else ItemState.ANSWERED,
            points=value,
            source=row,
        )
        for number, value in enumerate(points, start=1)
    )


@dataclass(frozen=True)
class Row:
    """One printed row of the clinic's report."""

    who: PatientIdentity
    match: MatchDecision
    reasons: tuple[str, ...]
    total: int | None = 17
    instrument: str | None = "phq-9"
    authored_on: date | None = date(2026, 11, 18)
    items: tuple[ItemScore, ...] | None = None
    critical: bool | None = None
    severity: str | None = None
    findings: tuple[str, ...] = ()
    result: str | None = None
    decision: Decision | None = None
    row: Region | None = None

    def assessment(self, number: int) -> SymptomAssessment:
        box = self.row or row_box(number)
        return SymptomAssessment(
            page=1,
            line=None,
            region=box,
            patient=self.who,
            instrument=self.instrument,
            instrument_printed="PHQ-9",
            authored_on=self.authored_on,
            authored_time=None,
            total=self.total,
            total_printed="" if self.total is None else str(self.total),
            result=self.result,
            items=self.items,
            severity=self.severity,
            critical=self.critical,
            findings=tuple(Finding(code=code, region=box) for code in self.findings),
        )


def row_box(number: int) -> Region:
    top = 136.0 + 26 * number
    return Region(1, 54, top, 558, top + 20)


KOWALSKI = match_of(
    candidate(
        "D1",
        0.93,
        ("prior", "", -12.8),
        ("name", "given nickname, family one-edit", 3.1),
        ("birth_date", "exact", 6.4),
        ("mrn", "one-edit", 4.0),
        ("sex", "exact", 0.9),
        reasons=("mrn-near",),
    ),
    candidate("D2", 0.05, ("name", "exact", 9.0), ("birth_date", "different", -7.0), ("mrn", "different", -6.0)),
    candidate("D3", 0.01, ("name", "given exact, family different", -2.0), ("birth_date", "one-digit", 2.0)),
)
TWINS = match_of(
    candidate("D6", 0.82, ("name", "exact", 8.0), ("birth_date", "exact", 9.0), reasons=("twin",)),
    candidate("D7", 0.17, ("name", "given other-name, family exact", 2.0), ("birth_date", "exact", 9.0)),
    reasons=("twin",),
)
ROWS = (
    Row(
        who=identity("Kowalsky, Thomas", date(1987, 3, 14), "BH-4O771", "M"), match=KOWALSKI,
        reasons=("patient-below-threshold", "mrn-near"), items=answers(2, 3, 2, 2, 2, 2, 2, 1, 1), critical=True,
        severity="Moderately severe",
    ),
    Row(
        who=identity("Reyes, Marco", date(2001, 12, 1), None, "M"), match=TWINS, reasons=("one-identifier", "twin"),
        total=9, items=answers(1, 1, 1, 1, 1, 1, 1, 1, 0), findings=("sum-differs",),
    ),
    Row(
        who=identity("<script>alert(1)</script>, Eve", date(1990, 1, 2), "X&Y", None), match=match_of(),
        reasons=("patient-not-found",), total=4,
    ),
)  # fmt: skip


def report_pdf(rows: tuple[Row, ...] = ROWS) -> bytes:
    """A page with a heading and one line per row, where `row_box` says."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(612, 792), invariant=True)
    canvas.setFont("Helvetica-Bold", 15)
    canvas.drawString(54, 792 - 70, "Riverside Behavioral Health")
    canvas.setFont("Helvetica", 9)
    canvas.drawString(54, 792 - 86, "Completed assessments by client. Synthetic data.")
    canvas.setFont("Helvetica-Bold", 10)
    columns = (58, 208, 290, 370, 460, 510)
    for x, word in zip(columns, ("Client", "DOB", "Account", "Completed", "PHQ-9", "Q9"), strict=True):
        canvas.drawString(x, 792 - 126, word)
    canvas.setFont("Helvetica", 10)
    for number, row in enumerate(rows):
        box = row_box(number)
        born = row.who.birth_date
        shown = row.authored_on
        texts = (
            row.who.name, f"{born:%m/%d/%Y}" if born else "", row.who.mrn or "", f"{shown:%m/%d/%Y}" if shown else "",
            "" if row.total is None else str(row.total), str(row.items[-1].points) if row.items else "",
        )  # fmt: skip
        for x, text in zip(columns, texts, strict=True):
            canvas.drawString(x, 792 - box.bottom + 6, text)
        canvas.line(54, 792 - box.bottom - 3, 558, 792 - box.bottom - 3)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


@dataclass
class Clinic:
    """The store, its pages, and the ids a test needs."""

    database: Database
    clock: Clock
    app: FastAPI
    report_id: int
    case_ids: list[int]
    alert_id: int
    scan_id: int = 0
    preview_id: int = 0
    draft_id: int = 0


# PDFium is not safe in several threads at once; the service draws in a process of its own.
_PEN = Lock()


def draw(content: bytes, page: int, parts: tuple[Region, ...]) -> DrawnPage:
    with _PEN:
        return pdfium_picture.draw(content, page=page, parts=parts)


def hand_in(
    database: Database,
    rows: tuple[Row, ...],
    *,
    now: datetime,
    decision: Decision = Decision.REVIEW,
    site: str = SITE,
    file_name: str = "scores.pdf",
    template: str | None = "riverside@3",
) -> int:
    """Put a report with these rows through the store as the pipeline does; returns the report's id.

    Without a template nobody recognises it, and nothing of it is stored.
    """
    content = report_pdf(rows)
    archived = database.archive.put(content)
    printed = PrintedFile(
        path="/print/scores.pdf", sha256=sha256(content).hexdigest(), size_bytes=len(content), seen_at=now, site=site
    )
    with database.session() as session:
        report = reports.take(session, printed, source="print", file_name=file_name, archived=archived)
        to_store = tuple(
            RecordToStore(
                decided=DecidedRecord(
                    assessment=row.assessment(number),
                    match=row.match,
                    decision=row.decision or decision,
                    reasons=row.reasons,
                ),
                fingerprint=fingerprint(row.who),
            )
            for number, row in enumerate(rows if template else ())
        )
        hand_over(
            session,
            report.report_id,
            ReadOutcome(
                template=template,
                pages=1 if template else 0,
                no_score=0,
                findings=() if template else (Finding(code="no-template"),),
                records=to_store,
                destinations=DESTINATIONS,
                day=TODAY,
            ),
            now=now,
        )
    return report.report_id


AUDITED = identity("Osei, Hannah", date(1991, 6, 9), "BH-50021", "F")
SURE = replace(
    match_of(candidate("D4", 0.99987, ("name", "exact", 9.0), ("mrn", "exact", 19.0)), reasons=()),
    grade=MatchGrade.CERTAIN,
)


def blind_check(clinic: Clinic) -> int:
    """Hand in an automatic match to D4 and draw it for a blind audit; returns the number of the check."""
    row = Row(who=AUDITED, match=SURE, reasons=())
    hand_in(clinic.database, (row,), now=clinic.clock(), decision=Decision.CONFIRMED)
    with clinic.database.session() as session:
        blind_audit.draw_due(session, share=1.0, per_week=0, now=clinic.clock())
        (task,) = blind_audit.list_tasks(session)
    return task.task_id


def furnish(home: Path) -> None:
    """Make the store of the clinic; copying it is cheaper than making it once more for every test."""
    now = START
    with create(StoreSettings(home=home), now=now) as database:
        with database.session() as session:
            for name, role in STAFF.items():
                users.add(session, name, PASSWORD, role, actor="setup", now=now)
            roster.replace(
                session, SITE, ROSTER, as_of=now - timedelta(hours=3), imported_from="roster.csv", actor="setup",
                now=now, max_removed_share=1.0,
            )  # fmt: skip
        report_id = hand_in(database, ROWS, now=now)
        with database.session() as session:
            alerts.raise_alert(
                session, alert_key="k1", site=SITE, report_id=report_id, position=0, instrument="phq-9", link_id="9",
                points=1, unverified=False, now=now,
            )  # fmt: skip
        manage(database, now=now)


TEMPLATE = """id: riverside
revision: 3
title: Completed assessments by client
anchors: [Riverside Behavioral Health]
furniture:
  - pattern: Completed assessments by client. Synthetic data.
dates: ['%m/%d/%Y']
table:
  columns:
    - {header: Client, field: name}
    - {header: DOB, field: birth_date}
    - {header: Account, field: mrn}
    - {header: Completed, field: authored_on}
    - {header: PHQ-9, field: total, instrument: phq-9}
"""
# What lies at the usual place of the site's list; nobody's program knows these headers.
LIST = (
    b"Kd.-Id,Person A,Person B,Tag,Konto,Bemerkung,Bemerkung\n"
    b"D1,Kowalski,Tomasz,03/14/1987,BH-40771,a,b\n"
    b"D2,<b>Kowalsky</b>,Thomas,11/03/1978,BH-31772,,\n"
)
SETUP = Setup(
    sources=(
        SourceSetup(
            name=f"{SITE}:/print/rbh", site=SITE, folder="/print/rbh", patterns=("*.pdf", "*.csv"), expected_by="06:30",
            after="stays where it is", quiet_seconds=2.0, incomplete_after=timedelta(minutes=10),
        ),
    ),
    destinations=(
        DestinationSetup(
            destination_id="portal", address="https://portal.example.org", file="generic-json.yaml",
            mode=DestinationMode.SHADOW, hold=timedelta(), daily_limit=None, daily_limit_days=14,
            credential=CredentialSetup(words="bearer token at env:PORTAL_TOKEN"),
        ),
    ),
    patient_lists=(
        PatientListSetup(
            site=SITE, origin="roster.csv", max_age=timedelta(days=7), removed_share=0.1, identity_share=0.05
        ),
    ),
    channels=("webhook",),
    settings=(SettingsSection(heading="general", values=(("home", "/var/lib/scorebridge"),)),),
    template_text=lambda _template_id, revision: TEMPLATE.replace("revision: 3", f"revision: {revision}"),
    list_columns=lambda site, content, chosen: sample(content or LIST, SiteSettings(id=site), chosen),
)  # fmt: skip


def manage(database: Database, *, now: datetime) -> None:
    """What the pages for running a clinic show: a template, a draft of the next revision, and requests."""
    with database.session() as session:
        for revision in (2, 3):
            digest = sha256(str(revision).encode()).hexdigest()
            templates.register(
                session, "riverside", revision, sha256=digest, state=TemplateState.LIVE, actor="tom", now=now
            )
        template_drafts.bring(
            session, "riverside", 4, TEMPLATE.replace("revision: 3", "revision: 4"), actor="tom", now=now
        )
        work_requests.ask(session, WorkKind.SCAN_SOURCE, SETUP.sources[0].name, site=SITE, actor="ada", now=now)
        work_requests.ask(session, WorkKind.PREVIEW_ROSTER, SITE, site=SITE, actor="ada", now=now)


def open_clinic(
    home: Path,
    *,
    render: Render = draw,
    settings: WebSettings | None = None,
    sites: Mapping[str, ZoneInfo] | None = None,
    setup: Setup = SETUP,
    provider: Provider | None = None,
    destinations_of: Callable[[str], tuple[str, ...]] = lambda site: DESTINATIONS if site == SITE else (),
) -> Clinic:
    """The pages over a furnished store."""
    clock = Clock()
    database = open_existing(StoreSettings(home=home))
    with database.reading() as session:
        case_ids = [case.case_id for case in sorted(cases.list_open(session), key=lambda one: one.case_id)]
        alert = alerts.list_alerts(session, open_only=True)[0]
        asked = {one.kind: one.request_id for one in work_requests.latest(session, sites=None)}
        draft = template_drafts.list_drafts(session)[0]
    app = create_app(
        database=database,
        settings=settings or WebSettings(),
        render=render,
        sites=sites or {SITE: ZONE},
        destinations_of=destinations_of,
        now=clock,
        metrics=lambda: b"scorebridge_up 1\n",
        health=None,
        setup=setup,
        provider=provider,
    )
    return Clinic(
        database=database,
        clock=clock,
        app=app,
        report_id=alert.report_id,
        case_ids=case_ids,
        alert_id=alert.alert_id,
        scan_id=asked[WorkKind.SCAN_SOURCE],
        preview_id=asked[WorkKind.PREVIEW_ROSTER],
        draft_id=draft.draft_id,
    )
