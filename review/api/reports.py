"""Reports: the printed files, their pages, and what can be done with one as a whole."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from fastapi import Request, Response

from records.finding import sentence
from review import actions, policies
from review.api.routing import ApiRoute
from review.api.shapes import (
    After,
    Box,
    Caller,
    Done,
    Limit,
    Part,
    Reason,
    ReasonShown,
    Shape,
    Wish,
    box,
    part,
    reasons_of,
)
from review.office import office_of
from review.site_scope import NotThereError
from review.viewing import note_view
from store import balance, kept_records, listings, reports
from store.database import Session
from store.kept_records import RecordState
from store.reports import ReportState, StoredReport


class ListedReport(Shape):
    """One arrival of one printed file."""

    report_id: int
    site: str
    source: str
    file_name: str
    sha256: str
    size_bytes: int
    seen_at: datetime
    state: ReportState
    template: str | None
    pages: int | None
    no_score: int
    printed: int
    day: date | None
    attention: bool
    """A person has yet to look at the report itself."""
    duplicate_of: int | None
    reasons: tuple[ReasonShown, ...]


class BalanceShown(Shape):
    """The sum that adds up: printed = sent + waiting + rejected + duplicate."""

    printed: int
    sent: int
    waiting: int
    rejected: int
    duplicate: int
    no_score: int


class PlaceOfRecord(Shape):
    """Where a record of a report is printed, and its state."""

    record_id: int
    position: int
    state: RecordState
    page: int | None
    line: int | None
    region: Box | None


class PageFinding(Shape):
    """What is odd about the file or a page, for instance a word that belongs to nothing."""

    code: str
    sentence: str
    detail: str
    region: Box | None


class ReportShown(ListedReport):
    """A report with the places of its records."""

    balance: BalanceShown
    findings: tuple[PageFinding, ...]
    records: tuple[PlaceOfRecord, ...]


class Settling(Wish):
    """What was done about a report that needed attention."""

    note: Reason


def list_reports(
    request: Request,
    caller: Caller,
    state: ReportState | None = None,
    day: date | None = None,
    attention: bool | None = None,
    after: After = 0,
    limit: Limit = 50,
) -> Part[ListedReport]:
    """Reports by their id."""
    office = office_of(request)
    with office.database.session() as session:
        found = listings.reports_after(
            session,
            sites=caller.user.sites,
            after=after,
            limit=limit + 1,
            state=state,
            day=day,
            attention=attention,
        )
        # The name of a file may be that of a patient.
        note_view(session, caller, "report.listed", "report", "all", now=office.now(), shown=min(len(found), limit))
    return part((ListedReport.model_validate(_listed(one)) for one in found), key="report_id", limit=limit)


def get_report(request: Request, report_id: int, caller: Caller) -> ReportShown:
    """One report with the places of its records. The look is kept in the audit trail."""
    office = office_of(request)
    with office.database.session() as session:
        shown = _shown(session, reports.get(session, report_id))
        count = len(shown.records)
        note_view(session, caller, "report.viewed", "report", str(report_id), now=office.now(), shown=count)
    return shown


def get_page(request: Request, report_id: int, number: int, caller: Caller) -> Response:
    """A page as it was printed. The look is kept in the audit trail."""
    office = office_of(request)
    image = office.images.page(report_id, number)
    if image is None:
        raise NotThereError
    with office.database.session() as session:
        note_view(session, caller, "page.viewed", "report", str(report_id), now=office.now(), shown=number)
    return Response(image.picture, media_type=image.media_type)


def process_report_again(request: Request, report_id: int, caller: Caller) -> Done:
    """Read a quarantined report once more."""
    office = office_of(request)
    actions.process_again(office.database, report_id, actor=caller.user.name, now=office.now())
    return Done()


def settle_report(request: Request, report_id: int, caller: Caller, wish: Settling) -> Done:
    """Close a report that needed attention, with a word on what was done."""
    office = office_of(request)
    actions.settle_report(office.database, report_id, note=wish.note, actor=caller.user.name, now=office.now())
    return Done()


def _listed(report: StoredReport) -> dict[str, object]:
    plain = {name: getattr(report, name) for name in ListedReport.model_fields}
    return plain | {"reasons": reasons_of(report.reasons)}


def _shown(session: Session, report: StoredReport) -> ReportShown:
    kept = kept_records.of_report(session, report.report_id)
    where = balance.of_report(session, report.report_id)
    return ReportShown.model_validate(
        _listed(report)
        | {
            "balance": BalanceShown.model_validate(where),
            "findings": [
                PageFinding(
                    code=one.code,
                    sentence=sentence(one.code),
                    detail=one.detail,
                    region=box(one.region),
                )
                for one in report.findings
            ],
            "records": [
                PlaceOfRecord(
                    record_id=one.record_id,
                    position=one.position,
                    state=one.state,
                    page=one.assessment.page,
                    line=one.assessment.line,
                    region=box(one.assessment.region),
                )
                for one in kept
            ],
        }
    )


ROUTES: Final = (
    ApiRoute("GET", "/reports", list_reports, policies.READS_PATIENTS),
    ApiRoute("GET", "/reports/{report_id}", get_report, policies.READS_PATIENTS),
    ApiRoute("GET", "/reports/{report_id}/pages/{number}.png", get_page, policies.READS_PATIENTS, gives=("image/png",)),
    ApiRoute("POST", "/reports/{report_id}/process-again", process_report_again, policies.DECIDES, changes=True),
    ApiRoute("POST", "/reports/{report_id}/settle", settle_report, policies.DECIDES, changes=True),
)
