"""Report templates: how far each is trusted, what it has read lately, and bringing, publishing and taking back one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from records.errors import DecisionRefusedError, TemplateError
from review import policies, template_shelf
from review.access import Form, SignedIn
from review.office import office_of
from review.rendering import go_to, page
from review.routing import Route
from review.template_changes import field_changes, text_changes
from review.template_shelf import LATELY
from review.uploads import MOST_TEMPLATE_BYTES, Upload, form_bytes
from store import template_drafts, template_figures, work_requests
from store.work_requests import WorkKind, WorkRequest

_TRIED: Final = (WorkKind.CHECK_TEMPLATE, WorkKind.PUBLISH_TEMPLATE)


def show_templates(request: Request, visitor: SignedIn) -> Response:
    """Every template, the drafts, and the form for a new one."""
    office = office_of(request)
    with office.database.reading() as session:
        rows = template_shelf.rows_of(session, office, office.sites_seen(visitor.user))
        drafts = template_drafts.list_drafts(session)
    return page(request, "templates.html", visitor=visitor, rows=rows, drafts=drafts, days=LATELY.days)


def show_template(
    request: Request, template_id: str, visitor: SignedIn, revision: int = 0, against: int = 0
) -> Response:
    """One template: its revisions, what it reads, its YAML, and how two revisions differ."""
    office = office_of(request)
    with office.database.reading() as session:
        rows = template_shelf.rows_of(session, office, office.sites_seen(visitor.user))
        row = next((one for one in rows if one.newest.template_id == template_id), None)
        if row is None:
            raise HTTPException(404)
        tried = work_requests.latest(session, sites=None, kinds=_TRIED, limit=200)
        latest = work_requests.latest(session, sites=None, kinds=(*_TRIED, WorkKind.ROLL_BACK_TEMPLATE), limit=200)
    number = revision or row.newest.revision
    shown = next((one for one in row.revisions if one.revision == number), None)
    if shown is None or (against and all(one.revision != against for one in row.revisions)):
        raise HTTPException(404)
    text = office.setup.template_text(template_id, number)
    earlier = office.setup.template_text(template_id, against) if against else None
    return page(
        request, "template.html", visitor=visitor, row=row, shown=shown, text=text, against=against if earlier else 0,
        diff=text_changes(earlier, text, f"{template_id}@{against}", shown.name) if earlier and text else (),
        field_changes=field_changes(earlier, text) if earlier and text else (),
        checked=_checked(tried, shown.name),
        latest=[one for one in latest if one.subject.partition("@")[0] == template_id][:5], days=LATELY.days,
    )  # fmt: skip


def hold(request: Request, template_id: str, revision: int, visitor: SignedIn) -> Response:
    """Stop a revision: what it reads waits for a person."""
    template_shelf.hold(office_of(request), visitor, template_id, revision)
    return go_to(f"/templates/{template_id}", said="held-template")


def release(request: Request, template_id: str, revision: int, visitor: SignedIn) -> Response:
    """Let a held or shadow revision's records go out again; how its reports look now is usual from here on."""
    template_shelf.release(office_of(request), visitor, template_id, revision)
    return go_to(f"/templates/{template_id}", said="released-template")


def check(request: Request, template_id: str, revision: int, visitor: SignedIn) -> Response:
    """Have the golden cases of a revision read."""
    return _to(template_shelf.check(office_of(request), visitor, template_id, revision))


def roll_back(request: Request, template_id: str, revision: int, visitor: SignedIn, form: Form) -> Response:
    """Have the contents of an earlier revision published as the next one."""
    is_live = form.get("state") == "live"
    return _to(template_shelf.roll_back(office_of(request), visitor, template_id, revision, is_live=is_live))


def bring(request: Request, visitor: SignedIn, form: Upload) -> Response:
    """Keep an uploaded template as a draft, if it has no fault; else every fault with its line."""
    file = next(iter(form.files), None)
    if file is None:
        raise DecisionRefusedError("No file was chosen.", next_step="Choose the template's YAML file.")
    try:
        draft = template_shelf.bring(office_of(request), visitor, file.content.decode("utf-8"), name=file.name)
    except UnicodeDecodeError:
        return _faulty(request, visitor, ["The file is not text in UTF-8."])
    except TemplateError as error:
        return _faulty(request, visitor, error.message.splitlines())
    return go_to(f"/templates/drafts/{draft.draft_id}", said="draft-brought")


def show_draft(request: Request, draft_id: int, visitor: SignedIn) -> Response:
    """A draft, how it differs from what is in use, and the way to publish it."""
    office = office_of(request)
    draft = template_shelf.draft_of(office, draft_id)
    with office.database.reading() as session:
        known = [one for one in template_figures.booked(session) if one.template_id == draft.template_id]
        tried = work_requests.latest(session, sites=None, kinds=_TRIED, limit=200)
    in_use = office.setup.template_text(draft.template_id, known[0].revision) if known else None
    return page(
        request, "template_draft.html", visitor=visitor, draft=draft, newest=known[0] if known else None,
        diff=text_changes(in_use, draft.text, known[0].name, "draft") if known and in_use else (),
        field_changes=field_changes(in_use, draft.text) if in_use else (),
        latest=[one for one in tried if one.arguments.get("draft") == str(draft_id)][:5],
    )  # fmt: skip


def check_draft(request: Request, draft_id: int, visitor: SignedIn) -> Response:
    """Have the golden cases read with a draft."""
    return _to(template_shelf.check_draft(office_of(request), visitor, draft_id))


def publish(request: Request, draft_id: int, visitor: SignedIn, form: Form) -> Response:
    """Have a draft published, once its golden cases were read without a difference."""
    is_live = form.get("state") == "live"
    return _to(template_shelf.publish(office_of(request), visitor, draft_id, is_live=is_live))


def drop(request: Request, draft_id: int, visitor: SignedIn) -> Response:
    """Give a draft up."""
    template_shelf.drop(office_of(request), visitor, draft_id)
    return go_to("/templates", said="draft-dropped")


def _checked(tried: Sequence[WorkRequest], name: str) -> WorkRequest | None:
    return next((one for one in tried if one.subject == name and one.is_at_its_end), None)


def _to(asked: WorkRequest) -> Response:
    return go_to(f"/work-requests/{asked.request_id}")


def _faulty(request: Request, visitor: SignedIn, faults: Sequence[str]) -> Response:
    return page(request, "template_faults.html", visitor=visitor, status=422, faults=faults)


ROUTES: Final = (
    Route("GET", "/templates", show_templates, policies.AUTHORS),
    Route("POST", "/templates/bring", bring, policies.AUTHORS, form_bytes(MOST_TEMPLATE_BYTES)),
    Route("GET", "/templates/drafts/{draft_id}", show_draft, policies.AUTHORS),
    Route("POST", "/templates/drafts/{draft_id}/check", check_draft, policies.AUTHORS),
    Route("POST", "/templates/drafts/{draft_id}/publish", publish, policies.PUBLISHES),
    Route("POST", "/templates/drafts/{draft_id}/drop", drop, policies.AUTHORS),
    Route("GET", "/templates/{template_id}", show_template, policies.AUTHORS),
    Route("POST", "/templates/{template_id}/{revision}/hold", hold, policies.AUTHORS),
    Route("POST", "/templates/{template_id}/{revision}/release", release, policies.PUBLISHES),
    Route("POST", "/templates/{template_id}/{revision}/check", check, policies.AUTHORS),
    Route("POST", "/templates/{template_id}/{revision}/rollback", roll_back, policies.PUBLISHES),
)
