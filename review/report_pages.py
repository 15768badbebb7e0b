"""One printed report, its pages, and what can be done with it as a whole."""

from __future__ import annotations

from typing import Final

from fastapi import Request, Response

from records.errors import DecisionRefusedError, StoreError
from review import actions, policies
from review.access import Form, SignedIn, Visitor
from review.office import office_of
from review.page_views import PageView, page_view
from review.rendering import go_to, page
from review.routing import Route
from review.viewing import note_view
from store import balance, cases, kept_records, reports, signatures
from store.database import Session
from store.reports import ReportState, StoredReport

# Files that were not read and are no danger to draw: a person reads them by eye. How many pages they have is not known.
_SEEN_UNREAD = frozenset({"no-text", "no-template", "ambiguous-template"})
_LOOK_AT_THE_FILE: Final = "Look at the original in its folder; print it again, or process it again here."
_PRINT_AGAIN: Final = "Print the report again at the EHR; the new file is taken by itself."
_STEPS: Final = {
    "no-template": "Draft a template with “scorebridge template draft”, publish it, and print the report again.",
    "ambiguous-template": "Make the anchors of one of the templates tell them apart, then process the report again.",
    "template-held": "Look at what has changed, then release the template with “scorebridge template release”.",
    "no-text": "It is a picture without text. Ask for a print from the EHR itself, or type the scores by hand.",
    "encrypted": "Print it again without a password.",
    "incomplete": _PRINT_AGAIN,
    "pages-missing": _PRINT_AGAIN,
    "damaged": _PRINT_AGAIN,
    "empty-file": _PRINT_AGAIN,
    "other-site": "Compare the clinic's name on the print with the folder it came from, and move the file.",
    "duplicate-file": "Nothing: the same file was taken before.",
    "reader-timeout": "Process it again when the machine is less busy; if it fails again, print it in parts.",
    "reader-memory": "Print it in parts.",
}
_DRAWN = 6  # pages shown at once; the others by their number


def show_report(request: Request, report_id: int, visitor: SignedIn, part: int = 1) -> Response:
    """A report: where its records are, and its pages with every record outlined."""
    office = office_of(request)
    with office.database.reading() as session:
        report = _of_site(session, visitor, report_id)
        if report is None:
            return _no_such(request, visitor)
        records = kept_records.of_report(session, report_id)
        where = balance.of_report(session, report_id)
        look = signatures.of_report(session, report_id)
        about = {record.record_id: cases.of_record(session, record.record_id) for record in records}
    with office.database.session() as session:
        note_view(session, visitor, "report.viewed", "report", str(report_id), now=office.now(), shown=len(records))
    changes = look.changes if look else ()
    changed = [change.region for change in changes]
    changed += [finding.region for finding in report.findings]
    views: list[PageView | int] = []
    first = (max(1, part) - 1) * _DRAWN + 1
    unread = not report.pages and not _SEEN_UNREAD.isdisjoint(report.reasons)
    pages = first + _DRAWN - 1 if unread else report.pages or 0
    for number in range(first, min(pages, first + _DRAWN - 1) + 1):
        image = office.images.page(report_id, number)
        if image is None and unread:
            break
        here = [record.assessment for record in records if record.assessment.page == number]
        views.append(page_view(image, number, here, changed=changed) if image else number)
    return page(
        request, "report.html", visitor=visitor, report=report, records=records, balance=where, changes=changes,
        cases=about, views=views, part=max(1, part), next_step=next_step(report),
        has_more=len(views) == _DRAWN if unread else pages >= first + _DRAWN,
    )  # fmt: skip


def page_picture(request: Request, report_id: int, number: int, visitor: SignedIn) -> Response:
    """A page as a picture."""
    office = office_of(request)
    image = office.images.page(report_id, number) if _is_seen(request, visitor, report_id) else None
    if image is None:
        return Response("Page image could not be drawn.", status_code=404, media_type="text/plain")
    with office.database.session() as session:
        note_view(session, visitor, "page.viewed", "report", str(report_id), now=office.now(), shown=number)
    return Response(image.picture, media_type=image.media_type)


def process_again(request: Request, report_id: int, visitor: SignedIn) -> Response:
    """Read a quarantined report once more."""
    office = office_of(request)
    if not _is_seen(request, visitor, report_id):
        return _no_such(request, visitor)
    try:
        actions.process_again(office.database, report_id, actor=visitor.user.name, now=office.now())
    except DecisionRefusedError as refusal:
        return _refused(request, visitor, report_id, refusal)
    return go_to(f"/reports/{report_id}", said="queued-again")


def settle(request: Request, report_id: int, visitor: SignedIn, form: Form) -> Response:
    """Close a report that needed attention."""
    office = office_of(request)
    if not _is_seen(request, visitor, report_id):
        return _no_such(request, visitor)
    note = form.get("note", "")[:1000]
    try:
        actions.settle_report(office.database, report_id, note=note, actor=visitor.user.name, now=office.now())
    except DecisionRefusedError as refusal:
        return _refused(request, visitor, report_id, refusal)
    return go_to(f"/reports/{report_id}", said="settled")


def next_step(report: StoredReport) -> str:
    """What a person does about a report that was not read, or empty if nothing is to be done."""
    if report.state is ReportState.QUARANTINED:
        return next((_STEPS[code] for code in report.reasons if code in _STEPS), _LOOK_AT_THE_FILE)
    return next((_STEPS[code] for code in report.reasons if code in _STEPS), "")


def _of_site(session: Session, visitor: Visitor, report_id: int) -> StoredReport | None:
    """The report, or None if there is none or it is another site's."""
    try:
        report = reports.get(session, report_id)
    except StoreError:
        return None
    return report if visitor.sees(report.site) else None


def _is_seen(request: Request, visitor: Visitor, report_id: int) -> bool:
    with office_of(request).database.reading() as session:
        return _of_site(session, visitor, report_id) is not None


def _no_such(request: Request, visitor: Visitor) -> Response:
    return page(
        request, "message.html", visitor=visitor, status=404, heading="No such report",
        sentence="There is no report with this number.", link="/", link_words="Go to the dashboard",
    )  # fmt: skip


def _refused(request: Request, visitor: SignedIn, report_id: int, refusal: DecisionRefusedError) -> Response:
    return page(
        request, "message.html", visitor=visitor, status=409, heading="Nothing was changed", sentence=str(refusal),
        link=f"/reports/{report_id}", link_words="Back to the report",
    )  # fmt: skip


ROUTES: Final = (
    Route("GET", "/reports/{report_id}", show_report, policies.READS_PATIENTS),
    Route("GET", "/reports/{report_id}/pages/{number}.png", page_picture, policies.READS_PATIENTS),
    Route("POST", "/reports/{report_id}/process-again", process_again, policies.DECIDES),
    Route("POST", "/reports/{report_id}/settle", settle, policies.DECIDES),
)
